/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_provenance.h"

#include <string.h>

#include "mesocl/status.h"
#include "report/report_json.h"
#include "report/report_number.h"

typedef struct field {
    const char *key, *value;
} field;

enum { n_fields = 16 };

/* Every field once, in the order of all reports. */
static void list_fields(const report_provenance *p, field fields[n_fields])
{
    const field all[n_fields] = {{"version", meso_version()},
                                 {"commit", meso_commit()},
                                 {"device", p->device},
                                 {"driver", p->driver},
                                 {"platform", p->platform},
                                 {"decoders", p->decoders},
                                 {"resize", p->resize},
                                 {"net", p->net},
                                 {"clblast", p->clblast},
                                 {"weights", p->weights},
                                 {"weights_hash", p->weights_hash},
                                 {"weights_sha256", p->weights_sha256},
                                 {"dataset", p->dataset},
                                 {"dataset_hash", p->dataset_hash},
                                 {"seed", p->seed},
                                 {"command", p->command}};
    memcpy(fields, all, sizeof all);
}

static int is_known(const field *f)
{
    return f->value && *f->value;
}

json_t *report_provenance_json(const report_provenance *provenance)
{
    field fields[n_fields];
    meso_builder object = meso_build_object();
    list_fields(provenance, fields);
    for (size_t i = 0; i < n_fields; i++)
        if (is_known(&fields[i]))
            meso_build_text(&object, fields[i].key, fields[i].value);
    return meso_build_end(&object);
}

int report_provenance_each(const report_provenance *provenance,
                           void (*take)(const char *key, const char *value, void *user), void *user)
{
    field fields[n_fields];
    int out_of_memory = 0;
    list_fields(provenance, fields);
    for (size_t i = 0; i < n_fields; i++) {
        meso_text printable = {0};
        if (!is_known(&fields[i]))
            continue;
        if (fields[i].value == provenance->command) /* printable already: its \ must not double */
            meso_text_add(&printable, fields[i].value);
        else
            meso_text_add_printable(&printable, fields[i].value);
        out_of_memory |= printable.out_of_memory;
        if (!printable.out_of_memory)
            take(fields[i].key, printable.bytes, user);
        meso_text_free(&printable);
    }
    return out_of_memory ? -1 : 0;
}

static void add_line(const char *key, const char *value, void *out)
{
    meso_text_format(out, "  %-13s %s\n", key, value);
}

void report_provenance_text(const report_provenance *provenance, meso_text *out)
{
    if (report_provenance_each(provenance, add_line, out) != 0)
        out->out_of_memory = 1;
}

/* Characters that no shell gives a meaning to. */
static int is_plain(const char *argument)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=@%+";
    return *argument && strspn(argument, plain) == strlen(argument);
}

/* Quotes with '…', or with $'…' (bash, zsh, ksh) where bytes have to be written as \\xNN. */
static void add_argument(const char *argument, meso_text *out)
{
    meso_text escaped = {0};
    size_t n_backslashes = 0;
    meso_text_add_printable(&escaped, argument);
    out->out_of_memory |= escaped.out_of_memory;
    for (const char *s = argument; *s; s++)
        n_backslashes += *s == '\\';
    /* A backslash alone is escaped, too, but stands for itself between quotes. */
    int bytes = escaped.length > strlen(argument) + 3 * n_backslashes;
    meso_text_add(out, bytes ? "$'" : "'");
    for (const char *s = bytes ? escaped.bytes : argument; s && *s; s++) {
        if (*s == '\'')
            meso_text_add(out, bytes ? "\\x27" : "'\\''");
        else
            meso_text_add_n(out, s, 1);
    }
    meso_text_add(out, "'");
    meso_text_free(&escaped);
}

void report_command_line(int argc, char *const *argv, meso_text *out)
{
    for (int i = 0; i < argc; i++) {
        meso_text_add(out, i ? " " : "");
        if (is_plain(argv[i]))
            meso_text_add(out, argv[i]);
        else
            add_argument(argv[i], out);
    }
}
