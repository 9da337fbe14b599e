/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras file → weights with their net: where the net comes from, and the metadata.
 */
#include "model/keras/keras_import.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/weights/weights.h"
#include "net/op/op.h"

/* The file's arrays as *weights of the net. */
static meso_status fit(const meso_keras_file *file, const meso_keras_plan *plan,
                       const meso_net *net, meso_weights **weights, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *set = NULL;
    MESO_TRY(meso_weights_create(&set, error));
    MESO_TRY(meso_keras_map(file, plan, net, set, error));
    *weights = set;
    set = NULL;
out:
    meso_weights_close(set);
    return status;
}

/* A short name for a net: of a path what stands between the last '/' and the first '.'. */
static void name_net(const char *path, char out[MESO_NAME_SIZE])
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    meso_printable(base, out, MESO_NAME_SIZE);
    out[strcspn(out, ".")] = '\0';
}

/* Appends a name to a list "a, b", as far as there is room. */
static void list_name(char list[256], const char *name)
{
    const size_t n = strlen(list);
    snprintf(list + n, 256 - n, "%s%s", n ? ", " : "", name);
}

/* A Keras model may end with a logit and leave the sigmoid to the loss. */
static meso_status add_sigmoid(meso_keras_plan *plan, const char *source_name, meso_net **net,
                               meso_keras_found *found, meso_error *error)
{
    const meso_layer *last = &(*net)->layers[(*net)->n_layers - 1];
    if ((last->op != &meso_op_bias && last->op != &meso_op_dense) ||
        meso_shape_size(last->shape) != 1)
        return MESO_OK;
    found->sigmoid = 1;
    meso_text_format(&plan->net_text, "added_sigmoid = sigmoid %s\n", last->name);
    meso_net_close(*net);
    *net = NULL;
    return meso_net_parse(plan->net_text.bytes, source_name, net, error);
}

/* The architecture inside the file. */
static meso_status import_own_net(const meso_keras_file *file, const char *source_name,
                                  meso_net **net, meso_weights **weights, meso_keras_found *found,
                                  meso_error *error)
{
    meso_status status = MESO_OK;
    meso_keras_plan plan;
    MESO_TRY(meso_keras_plan_make(file->config, &plan, error));
    MESO_TRY(meso_net_parse(plan.net_text.bytes, source_name, net, error));
    MESO_TRY(add_sigmoid(&plan, source_name, net, found, error));
    MESO_TRY(fit(file, &plan, *net, weights, error));
    found->rescaled = plan.rescaled;
    for (size_t i = 0; i < plan.n_nodes; i++)
        if (!plan.nodes[i].net_layer[0])
            list_name(found->idle, MESO_PRINTABLE(plan.nodes[i].keras_name));
out:
    meso_keras_plan_free(&plan);
    return status;
}

/* The first built-in net whose shapes fit; the others that do are named in *found. */
static meso_status import_by_shape(const meso_keras_file *file, meso_net **net,
                                   meso_weights **weights, meso_keras_found *found,
                                   meso_error *error)
{
    meso_status status = MESO_OK;
    meso_net *candidate = NULL;
    meso_weights *set = NULL;
    for (size_t i = 0; meso_net_builtin_name(i); i++) {
        meso_error why = {0};
        const char *name = meso_net_builtin_name(i);
        MESO_TRY(meso_net_open(name, &candidate, error));
        status = fit(file, NULL, candidate, &set, &why);
        MESO_REQUIRE(status == MESO_OK || status == MESO_ERROR_DATA, error, status, "%s", why.text);
        if (status == MESO_OK && !*weights) {
            *net = candidate;
            *weights = set;
            candidate = NULL;
            set = NULL;
        } else if (status == MESO_OK) {
            list_name(found->also, name);
        }
        meso_weights_close(set);
        meso_net_close(candidate);
        set = NULL;
        candidate = NULL;
    }
    status = MESO_OK;
    MESO_REQUIRE(*weights, error, MESO_ERROR_DATA,
                 "the file holds weights without their architecture, and they fit no built-in net; "
                 "name the net they belong to (--net)");
out:
    meso_weights_close(set);
    meso_net_close(candidate);
    return status;
}

static meso_status set_metadata(const meso_keras_file *file, const meso_net *net,
                                const meso_keras_options *options, const meso_keras_found *found,
                                meso_weights *weights, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text source = {0};
    char program[128], net_name[MESO_NAME_SIZE];
    const char *name = meso_keras_published(file);
    snprintf(program, sizeof program, "MesoCL %s (%s)", meso_version(), meso_commit());
    meso_text_format(&source, "%s: ", MESO_PRINTABLE(options->source_name));
    meso_keras_describe(file, &source);
    if (name)
        meso_text_format(&source, "; %s of github.com/DariusAf/MesoNet, Apache-2.0", name);
    if (found->sigmoid)
        meso_text_add(&source, "; sigmoid added behind its one logit");
    name_net(meso_net_name(net), net_name);
    MESO_REQUIRE_MEMORY(!source.out_of_memory, error);
    const char *const rows[][2] = {
        {"mesocl.net_name", net_name},          {"mesocl.net", meso_net_text(net)},
        {"mesocl.classes", options->classes},   {"mesocl.source", source.bytes},
        {"mesocl.source_sha256", file->sha256}, {"mesocl.program", program},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        MESO_TRY(meso_weights_set(weights, rows[i][0], rows[i][1], error));
out:
    meso_text_free(&source);
    return status;
}

meso_status meso_keras_import(const meso_keras_file *file, const meso_keras_options *options,
                              meso_weights **weights, meso_keras_found *found, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_classes classes;
    meso_net *net = NULL;
    meso_weights *set = NULL;
    *found = (meso_keras_found){0};
    MESO_TRY(meso_classes_parse(options->classes, MESO_ERROR_ARGUMENT, &classes, error));
    for (size_t i = 0; (options->net || !file->config) && i < file->n_layers; i++)
        MESO_TRY(meso_keras_require_floats(&file->layers[i], error));
    if (options->net) {
        found->how = MESO_KERAS_NET_GIVEN;
        MESO_TRY(fit(file, NULL, options->net, &set, error));
    } else if (file->config) {
        found->how = MESO_KERAS_NET_IN_FILE;
        MESO_TRY(import_own_net(file, options->source_name, &net, &set, found, error));
    } else {
        found->how = MESO_KERAS_NET_BY_SHAPE;
        MESO_TRY(import_by_shape(file, &net, &set, found, error));
    }
    const meso_net *used = options->net ? options->net : net;
    MESO_TRY(meso_weights_check(set, used, error)); /* shapes fit; what is left is values */
    MESO_TRY(set_metadata(file, used, options, found, set, error));
    *weights = set;
    set = NULL;
out:
    meso_weights_close(set);
    meso_net_close(net);
    return status;
}
