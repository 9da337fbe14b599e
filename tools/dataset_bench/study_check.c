/* SPDX-License-Identifier: Apache-2.0 */
#include "study_run.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "mesocl/dataset.h"
#include "mesocl/net.h"
#include "mesocl/weights.h"
#include "model/train/train_options.h"
#include "study_folder.h"

/* The same failure, with the name of what it is about in front. */
static meso_status name_failure(meso_status status, const char *what, const char *name,
                                const meso_error *inner, meso_error *error)
{
    return meso_fail(error, status, "%s %s: %s", what, name, inner->text);
}

static meso_status check_source(const study_source *source, int is_train, size_t n_files[2],
                                meso_error *error)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset files = MESO_INIT(meso_dataset);
    meso_error inner = {0};
    options.group = source->group;
    options.fake = source->fake;
    options.real = source->real;
    meso_status status = meso_dataset_open(source->path, &options, &files, &inner);
    for (int c = 0; status == MESO_OK && c < 2; c++) {
        n_files[c] = files.n_class[c];
        if (n_files[c] == 0)
            status = meso_fail(&inner, MESO_ERROR_DATA, "%s: there is no %s image in it",
                               MESO_PRINTABLE(source->path), c == MESO_FAKE ? "fake" : "real");
    }
    meso_dataset_close(&files);
    if (status == MESO_OK)
        return MESO_OK;
    return name_failure(status, is_train ? "training set" : "test set", source->name, &inner,
                        error);
}

/* Is one path the other, or a folder above it? Manifests are compared as files. */
static int contains(const char *outer, const char *inner)
{
    char *a = realpath(outer, NULL), *b = realpath(inner, NULL);
    size_t n = a ? strlen(a) : 0;
    int inside = a && b && strncmp(a, b, n) == 0 && (b[n] == '/' || b[n] == '\0' || n == 1);
    free(a);
    free(b);
    return inside;
}

static meso_status check_apart(const study_plan *plan, meso_error *error)
{
    for (size_t i = 0; i < plan->n_train * plan->n_test && !plan->keep_leaks; i++) {
        const study_source *train = &plan->train[i / plan->n_test];
        const study_source *test = &plan->test[i % plan->n_test];
        if (contains(train->path, test->path))
            return meso_fail(error, MESO_ERROR_DATA,
                             "test set %s is part of training set %s (%s): a detector would be "
                             "tested on what it was trained on; test on other images, or use "
                             "--keep-leaks",
                             test->name, train->name, MESO_PRINTABLE(train->path));
    }
    return MESO_OK;
}

/* Every pattern names a layer, as the trainer will ask. */
static meso_status check_freeze(const char *patterns, const meso_net *net, meso_error *error)
{
    char one[128];
    for (const char *at = patterns; at && *at;
         at += strcspn(at, ",") + (at[strcspn(at, ",")] != 0)) {
        size_t i = 0, n = meso_net_n_layers(net);
        meso_layer_info info = MESO_INIT(meso_layer_info);
        snprintf(one, sizeof one, "%.*s", (int)strcspn(at, ","), at);
        for (; i < n; i++) {
            meso_net_layer(net, i, &info, NULL);
            if (fnmatch(one, info.name, 0) == 0)
                break;
        }
        if (i == n)
            return meso_fail(error, MESO_ERROR_DATA, "freeze: no layer is called %s",
                             MESO_PRINTABLE(one));
    }
    return MESO_OK;
}

static meso_status check_variant(const study_variant *v, uint64_t *bytes, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error inner = {0};
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    meso_train_options o = v->options;
    o.run = o.data = "that of each job";
    MESO_TRY(meso_train_config_check(&o, &inner));
    MESO_TRY(meso_net_open(o.net, &net, &inner));
    MESO_TRY(check_freeze(o.freeze, net, &inner));
    if (o.init) {
        MESO_TRY(meso_weights_read(o.init, &weights, &inner));
        MESO_TRY(meso_weights_check(weights, net, &inner));
    }
    MESO_REQUIRE(o.init || o.epochs > 0, &inner, MESO_ERROR_DATA,
                 "no epochs and no init: the weights would be random; give one of them");
    *bytes = 4096;
    for (size_t i = 0; i < meso_net_n_layers(net); i++) {
        meso_layer_info info = MESO_INIT(meso_layer_info);
        meso_net_layer(net, i, &info, NULL);
        *bytes += 4 * (info.parameters + info.statistics);
    }
out:
    meso_weights_close(weights);
    meso_net_close(net);
    return status == MESO_OK ? MESO_OK : name_failure(status, "variant", v->name, &inner, error);
}

meso_status db_study_check(const study_plan *plan, db_sizes *sizes, meso_error *error)
{
    *sizes = (db_sizes){0};
    MESO_CHECK(check_apart(plan, error));
    for (size_t s = 0; s < plan->n_train + plan->n_test; s++) {
        const study_source *source = study_plan_source(plan, s);
        MESO_CHECK(check_source(source, s < plan->n_train, sizes->n_files[s], error));
    }
    for (size_t v = 0; v < plan->n_variants; v++)
        MESO_CHECK(check_variant(&plan->variants[v], &sizes->model_bytes[v], error));
    study_plan_per_class(plan, sizes->n_files, sizes->per_class);
    return MESO_OK;
}
