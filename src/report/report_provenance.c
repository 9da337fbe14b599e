/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_provenance.h"

#include <string.h>

#include "mesocl/status.h"
#include "report/report_json.h"
#include "report/report_number.h"

typedef struct field {
    const char *key, *value;
} field;

enum { n_fields = 14 };

/* Every field once, in the order of all reports. */
static void list_fields(const report_provenance *p, field fields[n_fields])
{
    const field all[n_fields] = {{"version", meso_version()}, {"commit", meso_commit()},
                                 {"device", p->device},       {"driver", p->driver},
                                 {"platform", p->platform},   {"decoders", p->decoders},
                                 {"resize", p->resize},       {"net", p->net},
                                 {"weights", p->weights},     {"weights_hash", p->weights_hash},
                                 {"dataset", p->dataset},     {"dataset_hash", p->dataset_hash},
                                 {"seed", p->seed},           {"command", p->command}};
    memcpy(fields, all, sizeof all);
}

static int is_known(const field *f)
{
    return f->value && *f->value;
}

json_t *report_provenance_json(const report_provenance *provenance)
{
    field fields[n_fields];
    json_t *object = json_object();
    list_fields(provenance, fields);
    for (size_t i = 0; object && i < n_fields; i++) {
        if (!is_known(&fields[i]))
            continue;
        if (json_object_set_new(object, fields[i].key, report_json_text(fields[i].value)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

void report_provenance_text(const report_provenance *provenance, meso_text *out)
{
    field fields[n_fields];
    list_fields(provenance, fields);
    for (size_t i = 0; i < n_fields; i++) {
        if (!is_known(&fields[i]))
            continue;
        meso_text_format(out, "  %-13s ", fields[i].key);
        report_printable(fields[i].value, out);
        meso_text_add(out, "\n");
    }
}

/* Characters that no shell gives a meaning to. */
static int is_plain(const char *argument)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=@%+";
    return *argument && strspn(argument, plain) == strlen(argument);
}

void report_command_line(int argc, char *const *argv, meso_text *out)
{
    for (int i = 0; i < argc; i++) {
        int quote = !is_plain(argv[i]);
        meso_text_add(out, i ? " " : "");
        meso_text_add(out, quote ? "'" : "");
        for (const char *s = argv[i]; *s; s++) {
            if (*s == '\'')
                meso_text_add(out, "'\\''");
            else
                meso_text_add_n(out, s, 1);
        }
        meso_text_add(out, quote ? "'" : "");
    }
}
