/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/labels.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"
#include "base/unicode.h"
#include "data/list/builder.h"

static const char *const fake_names[] = {"fake",        "df",        "deepfake", "forged",
                                         "manipulated", "synthetic", "swap",     "swapped",
                                         "ai",          "generated", NULL};
static const char *const real_names[] = {"real",    "original", "pristine", "authentic",
                                         "genuine", "human",    NULL};

/* One row per label: what it is called, the names that mean it, how to name another. */
static const struct {
    const char *name;
    const char *const *names;
} rows[2] = {[MESO_FAKE] = {"fake", fake_names}, [MESO_REAL] = {"real", real_names}};

const char *meso_label_name(meso_label label)
{
    return rows[label].name;
}

static int stands_in(const char *const *names, const char *name)
{
    while (*names && strcasecmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* A name given in the options takes its class over: the class' usual names then mean nothing. */
meso_label meso_label_of(const char *name, const meso_dataset_options *options)
{
    const char *const given[2] = {options->fake, options->real};
    for (int label = 0; label < 2; label++)
        if (given[label] && meso_same_name(given[label], name))
            return (meso_label)label;
    for (int label = 0; label < 2; label++)
        if (!given[label] && stands_in(rows[label].names, name))
            return (meso_label)label;
    return MESO_UNLABELLED;
}

/* What the user sees where a class has no folder: the remedy is in the names that are there. */
static meso_status fail_missing(const char *root, int label, const char *given, const char *found,
                                meso_error *error)
{
    if (given)
        return meso_fail(error, MESO_ERROR_DATA,
                         "%s: there is no class folder \"%s\" (folders: %s)", MESO_PRINTABLE(root),
                         MESO_PRINTABLE(given), found);
    return meso_fail(error, MESO_ERROR_DATA,
                     "%s: no folder is named like a class of %s images (folders: %s); name it with "
                     "--%s NAME or use a manifest",
                     MESO_PRINTABLE(root), rows[label].name, found, rows[label].name);
}

static meso_status fail_ambiguous(const char *root, int label, const char *first,
                                  const char *second, meso_error *error)
{
    return meso_fail(error, MESO_ERROR_DATA,
                     "%s: both \"%s\" and \"%s\" are names of %s images; choose with --%s NAME",
                     MESO_PRINTABLE(root), MESO_PRINTABLE(first), MESO_PRINTABLE(second),
                     rows[label].name, rows[label].name);
}

/* The root's folders, hidden ones left out; in *found their names for a message. */
static meso_status list_folders(const char *root, struct dirent ***entries, int *n,
                                meso_text *found, meso_error *error)
{
    *n = scandir(root, entries, meso_scan_not_hidden, meso_scan_by_name);
    if (*n < 0)
        return meso_fail(error, errno == ENOMEM ? MESO_ERROR_MEMORY : MESO_ERROR_NO_INPUT, "%s: %s",
                         MESO_PRINTABLE(root), strerror(errno));
    for (int i = 0; i < *n; i++) {
        meso_text path = {0};
        struct stat info;
        meso_text_format(&path, "%s/%s", root, (*entries)[i]->d_name);
        int is_folder = path.bytes && stat(path.bytes, &info) == 0 && S_ISDIR(info.st_mode);
        found->out_of_memory |= path.out_of_memory;
        meso_text_free(&path);
        if (!is_folder)
            (*entries)[i]->d_name[0] = '\0';
        else if (found->length < 300)
            meso_text_format(found, "%s%s", found->length ? ", " : "",
                             MESO_PRINTABLE((*entries)[i]->d_name));
    }
    if (found->length == 0)
        meso_text_add(found, "none");
    return found->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

meso_status meso_label_folders(const char *root, const meso_dataset_options *options,
                               char *folders[2], meso_error *error)
{
    const char *const given[2] = {options->fake, options->real};
    const char *names[2] = {NULL, NULL};
    struct dirent **entries = NULL;
    meso_text found = {0};
    int n = 0;
    meso_status status = MESO_OK;
    folders[0] = folders[1] = NULL;
    MESO_TRY(list_folders(root, &entries, &n, &found, error));
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        meso_label label = *name ? meso_label_of(name, options) : MESO_UNLABELLED;
        if (label == MESO_UNLABELLED)
            continue;
        if (names[label])
            MESO_TRY(fail_ambiguous(root, label, names[label], name, error));
        names[label] = name;
    }
    for (int label = 0; label < 2; label++) {
        meso_text path = {0};
        if (!names[label])
            MESO_TRY(fail_missing(root, label, given[label], found.bytes, error));
        meso_text_format(&path, "%s%s%s", root, root[strlen(root) - 1] == '/' ? "" : "/",
                         names[label]);
        MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
        folders[label] = path.bytes;
    }
out:
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    meso_text_free(&found);
    for (int label = 0; status != MESO_OK && label < 2; label++) {
        free(folders[label]);
        folders[label] = NULL;
    }
    return status;
}
