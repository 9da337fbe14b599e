/* SPDX-License-Identifier: Apache-2.0 */
#include "study_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "common.h"
#include "data/list/group.h"
#include "outputs.h"
#include "study_folder.h"
#include "train_rows.h"

static const char about[] =
    "Trains a detector on each training set and tests it on each test set: which\n"
    "dataset makes the better detector, and why. Datasets are scanned first; test\n"
    "images that leak from a training set are left out; results have 95 % intervals,\n"
    "significance tests corrected for their number, baselines, and the warnings of\n"
    "check.\n"
    "\n"
    "A set is a folder with one folder for each class, or a manifest (CSV with the\n"
    "columns file, label, group). study.json says the same as the options, and can\n"
    "compare several ways of training (\"variants\"): docs/studies.md.\n"
    "\n"
    "Each job (training set, variant, seed) runs in a process of its own and is on\n"
    "disk when it is done. --resume does what is missing.\n"
    "\n"
    "Exit code: 0 when every job is done; 65 for bad data, such as a dataset that has\n"
    "changed since the study began; 70 when a job failed; 75 after Ctrl-C: --resume\n"
    "continues.";

static const char examples[] =
    "dataset_bench run --train of=openforensics/Train --train dfdc=dfdc/Train \\\n"
    "    --test control=openforensics/Test --seeds 3 --epochs 10 -o study\n"
    "dataset_bench run study.json --dry-run\n"
    "dataset_bench run --resume study";

typedef struct words {
    tool_option_list train, test, groups;
    tool_train_words training;
    uint64_t seeds, limit, resamples;
    int no_equalize, keep_leaks;
    int protocol;
    const char *device;
} words;

enum { not_given = -1 };

static int set_text(json_t *object, const char *key, const char *value)
{
    return !value || json_object_set_new(object, key, json_string(value)) == 0;
}

static int set_whole(json_t *object, const char *key, uint64_t value)
{
    return value == 0 || json_object_set_new(object, key, json_integer((json_int_t)value)) == 0;
}

/* NAME=PATH into {"NAME": {"path": PATH}}; -1, or 2 after a sentence. */
static int add_source(json_t *sets, const char *option, const char *word)
{
    char name[64];
    const char *equals = strchr(word, '=');
    if (access(word, F_OK) == 0)
        return tool_options_usage_error(
            "run", "--%s takes NAME=PATH; for what is called \"%s\" give NAME=./%s", option,
            MESO_PRINTABLE(word), MESO_PRINTABLE(word));
    if (!equals || equals == word || !equals[1] || (size_t)(equals - word) >= sizeof name)
        return tool_options_usage_error("run", "--%s takes NAME=PATH, not \"%s\"", option,
                                        MESO_PRINTABLE(word));
    snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
    if (json_object_get(sets, name))
        return tool_options_usage_error("run", "--%s: two sets are called \"%s\"", option,
                                        MESO_PRINTABLE(name));
    if (json_object_set_new(sets, name, json_pack("{s:s}", "path", equals + 1)) != 0)
        return tool_options_usage_error("run", "--%s %s: not UTF-8: use a manifest", option,
                                        MESO_PRINTABLE(word));
    return -1;
}

static int add_sources(json_t *document, const char *key, const tool_option_list *list)
{
    int code = -1;
    json_t *sets = list->n ? json_object() : NULL;
    for (size_t i = 0; i < list->n && code < 0; i++)
        code = add_source(sets, key, list->items[i]);
    if (sets)
        json_object_set_new(document, key, sets);
    return code;
}

/* NAME=PATTERN into the set of that name. */
static int add_group(json_t *document, const char *word)
{
    static const char *const keys[] = {"train", "test"};
    char name[64];
    size_t n = strcspn(word, "=");
    snprintf(name, sizeof name, "%.*s", (int)n, word);
    for (size_t k = 0; word[n] && k < 2; k++) {
        json_t *set = json_object_get(json_object_get(document, keys[k]), name);
        if (set && set_text(set, "group", word + n + 1))
            return -1;
    }
    return tool_options_usage_error("run",
                                    "--group takes NAME=PATTERN with the name of a set, not \"%s\"",
                                    MESO_PRINTABLE(word));
}

/* The options of training: the plan's one variant, but for what is said for all of them. */
static int add_training(const tool_train_words *given, json_t *document)
{
    meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
    json_t *variant = json_object();
    int ok = 1, code = tool_train_take(given, "run", &options);
    for (size_t i = 0; i < meso_n_train_option_rows && code < 0; i++) {
        const meso_train_option *option = &meso_train_option_rows[i];
        const int for_all = meso_word_find("loss|batch", option->field.key) >= 0;
        if (tool_train_given(given, i))
            ok &= json_object_set_new(for_all ? document : variant, option->field.key,
                                      given->on[i] ? json_true()
                                      : option->parse
                                          ? json_string(given->text[i])
                                          : meso_field_to_json(&option->field, &options)) == 0;
    }
    if (json_object_size(variant) > 0)
        ok &= json_object_set_new(document, "variants", json_pack("{s:O}", "only", variant)) == 0;
    json_decref(variant);
    return code >= 0 || ok ? code : tool_options_usage_error("run", "a value is not UTF-8");
}

static int collect(const words *w, json_t *document)
{
    int code = add_sources(document, "train", &w->train);
    if (code < 0)
        code = add_sources(document, "test", &w->test);
    for (size_t i = 0; i < w->groups.n && code < 0; i++)
        code = add_group(document, w->groups.items[i]);
    if (code < 0)
        code = add_training(&w->training, document);
    int ok = set_whole(document, "seeds", w->seeds) && set_whole(document, "limit", w->limit) &&
             set_whole(document, "resamples", w->resamples) &&
             set_text(document, "device", w->device);
    if (w->no_equalize)
        ok &= json_object_set_new(document, "equalize", json_false()) == 0;
    if (w->keep_leaks)
        ok &= json_object_set_new(document, "keep_leaks", json_true()) == 0;
    if (w->protocol != not_given)
        ok &= set_text(document, "protocol", "ucla");
    return code >= 0 || ok ? code : tool_options_usage_error("run", "a value is not UTF-8");
}

static int check(const words *w, db_run_options *o, char **argv, int n)
{
    if (o->resume) {
        if (n > 0 || json_object_size(o->overrides) > 0 || o->output || o->dry_run)
            return tool_options_usage_error(
                "run", "--resume takes the folder of a study and nothing that would change it");
        return -1;
    }
    o->document = n ? argv[0] : NULL;
    if (!o->document && (!w->train.n || !w->test.n))
        return tool_options_usage_error(
            "run", "give --train NAME=PATH and --test NAME=PATH, or a study.json");
    if (o->document && (w->train.n || w->test.n || json_object_get(o->overrides, "variants")))
        return tool_options_usage_error("run",
                                        "%s defines sets and variants; they cannot also be given "
                                        "as options",
                                        MESO_PRINTABLE(o->document));
    if (!o->output && !o->dry_run)
        return tool_options_usage_error("run", "-o FOLDER is missing");
    return -1;
}

int db_run_options_parse(int argc, char **argv, db_run_options *o)
{
    words w = {.protocol = not_given};
    const meso_train_options usual = study_training_usual(0);
    tool_option options[TOOL_MAX_TRAIN_ROWS + 24] = {
        OPT_INPUTS("train", 0, w.train, "NAME=PATH",
                   "a training set, once for each; a folder of class folders, or a manifest"),
        OPT_INPUTS("test", 0, w.test, "NAME=PATH", "a test set, once for each"),
        OPT_LIST("group", 'g', w.groups, "NAME=PATTERN",
                 "of the set NAME: " MESO_GROUP_HELP MESO_GROUP_COLUMNS_HELP),
        OPT_RESULT("output", 'o', o->output, "FOLDER", &db_study_result,
                   "where to write the study, a new folder"),
        OPT_FORCE,
        OPT_INPUT("resume", 0, o->resume, "FOLDER", "continue the study in this folder"),
        OPT_FLAG("dry-run", 0, o->dry_run, "say what would run, how long and with how much disk"),
        OPT_COUNT("seeds", 0, w.seeds, "N", 1, STUDY_MAX_SEEDS,
                  "trainings of each kind, from seeds 1 to N; default 3"),
        OPT_CHOICE("protocol", 0, w.protocol, "ucla",
                   "that of the published study: one epoch, batches of 64, MSE, no augmentation"),
        OPT_FLAG("no-equalize", 0, w.no_equalize,
                 "train on every image; default: as many of each class as the smallest set has"),
        OPT_COUNT("limit", 'n', w.limit, "N", 1, 1e9,
                  "at most N images of each class of a training set"),
        OPT_FLAG("keep-leaks", 0, w.keep_leaks, "keep test images that leak from the training set"),
        OPT_DEVICES(w.device, "auto; several share the jobs, with all every one evaluates each"),
        OPT_COUNT("resamples", 0, w.resamples, "N", 2, 1000000, "of the bootstrap; default 1000"),
        OPT_COUNT("jobs", 0, o->n_parallel, "N", 1, 1024,
                  "jobs side by side; default: one for each processor"),
        OPT_PROGRESS,
        OPT_FLAG("thumbnails", 0, o->thumbnails,
                 "show pictures in the report: the worst mistakes; they leave the datasets by it"),
        OPT_END};
    size_t n = 0;
    while (options[n].name)
        n++;
    n += tool_train_rows(&w.training, &usual, 1, options + n);
    options[n] = (tool_option)OPT_END;
    const tool_command_line line = {
        "run",    "[options] -o FOLDER | STUDY.json -o FOLDER | --resume FOLDER",
        about,    options,
        examples, 0,
        1};
    int code = tool_options_parse(&line, &argc, argv);
    if (code < 0)
        code = collect(&w, o->overrides);
    return code < 0 ? check(&w, o, argv, argc) : code;
}

void db_run_options_free(db_run_options *options)
{
    json_decref(options->overrides);
    options->overrides = NULL;
}

meso_status db_run_options_plan(db_run_options *o, study_plan *plan, meso_error *error)
{
    char here[4096];
    if (o->document)
        return study_plan_read(o->document, o->overrides, plan, error);
    if (!getcwd(here, sizeof here))
        return meso_fail(error, MESO_ERROR_NO_INPUT, "the working folder has no name any more");
    return study_plan_take(json_incref(o->overrides), "command line", here, plan, error);
}
