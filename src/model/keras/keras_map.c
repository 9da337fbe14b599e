/* SPDX-License-Identifier: Apache-2.0
 *
 * Which array of a Keras file is which parameter of a net?
 *
 * A Keras layer owns what several layers of a net own (conv and its bias), so the net's parameters
 * are first gathered into slots. A file with an architecture says which Keras layer fills which
 * slot. One without is matched by order, kind by kind (convolutions, dense layers, batch
 * normalisations):
 *   - names that Keras gave count up in the order of creation, which is the order of a net's text;
 *   - where there are no such names the file lists layers by their distance from the output, as
 * Keras does when it saves: so the net's slots are put into that order, too. The two orders differ
 * where a net branches: MesoInception-4.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/keras/keras_import.h"
#include "model/weights/weights.h"
#include "net/op/op.h"

enum { n_roles = MESO_PARAM_VARIANCE + 1 };
typedef enum slot_kind { CONV, DENSE, NORM, N_KINDS } slot_kind;
static const char *const kind_words[] = {"convolutions", "dense layers", "batch normalisations"};

typedef struct slot {
    slot_kind kind;
    const meso_layer *layer;
    const meso_param *params[n_roles]; /* by meso_param_kind; NULL: the net has none */
    int depth;                         /* Keras layers between it and the output */
    const meso_keras_layer *source;    /* what fills it */
} slot;

typedef struct slots {
    slot *rows;
    size_t n;
} slots;

/* ---- the net's side ---- */

/* A bias, and an activation that Keras has no layer class for, are inside of conv and dense there.
 * ReLU has one, but mostly is inside too. */
static int keras_layers_in(const meso_op *op)
{
    return op->keras_class && op != &meso_op_relu;
}

static void find_depths(const meso_net *net, int *depths)
{
    for (size_t i = net->n_layers; i-- > 0;)
        for (size_t k = 0; k < net->layers[i].n_inputs; k++) {
            int *input = &depths[net->layers[i].inputs[k]];
            int through = depths[i] + keras_layers_in(net->layers[i].op);
            if (*input < through)
                *input = through;
        }
}

static slot *slot_of_layer(slots *all, const meso_layer *layer)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->rows[i].layer == layer)
            return &all->rows[i];
    return NULL;
}

static meso_status gather_slots(const meso_net *net, slots *all, meso_error *error)
{
    meso_status status = MESO_OK;
    int *depths = calloc(net->n_layers, sizeof *depths);
    all->rows = calloc(net->n_params + 1, sizeof *all->rows);
    MESO_REQUIRE_MEMORY(depths, error);
    MESO_REQUIRE_MEMORY(all->rows, error);
    find_depths(net, depths);
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_param *param = &net->params[i];
        const meso_layer *layer = &net->layers[param->layer];
        /* A bias belongs to the layer that it is added to. */
        if (param->kind == MESO_PARAM_BIAS)
            layer = &net->layers[layer->inputs[0]];
        slot *row = slot_of_layer(all, layer);
        MESO_REQUIRE(
            row || param->kind != MESO_PARAM_BIAS, error, MESO_ERROR_DATA,
            "net %s: %s is added to layer %s, which is neither conv nor dense; Keras has no "
            "such layer",
            net->name, param->name, layer->name);
        if (!row) {
            row = &all->rows[all->n++];
            row->layer = layer;
            row->kind = param->kind != MESO_PARAM_KERNEL ? NORM : param->n_dims == 4 ? CONV : DENSE;
            row->depth = depths[param->layer];
        }
        row->params[param->kind] = param;
    }
out:
    free(depths);
    return status;
}

/* Farthest from the output first; equals stay in the order of the text. */
static int by_depth(const void *left, const void *right)
{
    const slot *a = left, *b = right;
    if (a->depth != b->depth)
        return a->depth > b->depth ? -1 : 1;
    return (a->layer > b->layer) - (a->layer < b->layer);
}

/* ---- the file's side ---- */

/* N_KINDS where no layer of MesoCL has such arrays. */
static slot_kind kind_of(const meso_keras_layer *layer)
{
    size_t largest = 0;
    for (size_t i = 0; i < layer->n_arrays; i++)
        if (layer->arrays[i].n_dims > largest)
            largest = layer->arrays[i].n_dims;
    if (largest == 1)
        return layer->n_arrays >= 2 && layer->n_arrays <= 4 ? NORM : N_KINDS;
    if (layer->n_arrays > 2 || layer->arrays[0].n_dims != largest)
        return N_KINDS;
    return largest == 4 ? CONV : largest == 2 ? DENSE : N_KINDS;
}

static const char *label_of(const meso_keras_layer *layer)
{
    return layer->name ? layer->name : layer->group;
}

meso_status meso_keras_require_floats(const meso_keras_layer *layer, meso_error *error)
{
    for (size_t i = 0; i < layer->n_arrays; i++)
        MESO_DEMAND(!layer->arrays[i].type, error, MESO_ERROR_DATA,
                    "array %s of layer %s holds %s values, and only floats are read: save a "
                    "quantised model before quantize()",
                    MESO_PRINTABLE(layer->arrays[i].name), MESO_PRINTABLE(label_of(layer)),
                    MESO_PRINTABLE(layer->arrays[i].type));
    return MESO_OK;
}

/* conv2d, conv2d_7: a name that Keras made up. */
static int is_automatic(const char *name)
{
    static const char *const stems[] = {"conv2d",
                                        "convolution2d",
                                        "dense",
                                        "batch_normalization",
                                        "batch_normalization_v1",
                                        "batchnormalization"};
    for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++) {
        size_t n = strlen(stems[i]);
        if (strncmp(name, stems[i], n) == 0 &&
            (!name[n] ||
             (name[n] == '_' && name[n + 1] && !name[n + 1 + strspn(name + n + 1, "0123456789")])))
            return 1;
    }
    return 0;
}

/* Numbers inside names compare as numbers: conv2d, conv2d_2, conv2d_10. */
static int by_name(const void *left, const void *right)
{
    const meso_keras_layer *const *a = left, *const *b = right;
    return strverscmp((*a)->name, (*b)->name);
}

static int by_group(const void *left, const void *right)
{
    const meso_keras_layer *const *a = left, *const *b = right;
    return strverscmp((*a)->group, (*b)->group);
}

/* Puts both sides into the same order (see the top of the file). */
static void order_both(const meso_keras_file *file, const meso_keras_layer **sources, slots *all)
{
    int automatic = 1;
    for (size_t i = 0; i < file->n_layers; i++)
        automatic &= file->layers[i].name && is_automatic(file->layers[i].name);
    if (automatic) {
        qsort(sources, file->n_layers, sizeof *sources, by_name);
        return;
    }
    /* Groups of Keras 3 are numbered; the list of Keras 2 stands in the file's order already. */
    if (file->kind == MESO_KERAS3_WEIGHTS || file->kind == MESO_KERAS3_MODEL)
        qsort(sources, file->n_layers, sizeof *sources, by_group);
    qsort(all->rows, all->n, sizeof *all->rows, by_depth);
}

/* ---- bringing them together ---- */

static meso_status match_by_order(const meso_keras_file *file, slots *all, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t next[N_KINDS] = {0};
    const meso_keras_layer **sources = calloc(file->n_layers + 1, sizeof *sources);
    MESO_REQUIRE_MEMORY(sources, error);
    for (size_t i = 0; i < file->n_layers; i++)
        sources[i] = &file->layers[i];
    order_both(file, sources, all);
    for (size_t i = 0; i < file->n_layers; i++) {
        slot_kind kind = kind_of(sources[i]);
        MESO_REQUIRE(kind != N_KINDS, error, MESO_ERROR_DATA,
                     "layer %s holds arrays that no layer of MesoCL has",
                     MESO_PRINTABLE(label_of(sources[i])));
        size_t *at = &next[kind];
        while (*at < all->n && all->rows[*at].kind != kind)
            ++*at;
        MESO_REQUIRE(*at < all->n, error, MESO_ERROR_DATA, "it has more %s than the net",
                     kind_words[kind]);
        all->rows[(*at)++].source = sources[i];
    }
out:
    free(sources);
    return status;
}

static const meso_keras_node *node_of(const meso_keras_plan *plan, const meso_keras_layer *layer)
{
    const char *slash = strrchr(layer->group, '/');
    const char *store = slash ? slash + 1 : layer->group;
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (strcmp(plan->nodes[i].keras_name, label_of(layer)) == 0)
            return &plan->nodes[i];
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (!layer->name && strcmp(plan->nodes[i].store, store) == 0)
            return &plan->nodes[i];
    return NULL;
}

static meso_status match_by_plan(const meso_keras_file *file, const meso_keras_plan *plan,
                                 const meso_net *net, slots *all, meso_error *error)
{
    for (size_t i = 0; i < file->n_layers; i++) {
        const meso_keras_node *node = node_of(plan, &file->layers[i]);
        if (node && !node->net_layer[0])
            continue; /* does nothing in prediction */
        MESO_CHECK(meso_keras_require_floats(&file->layers[i], error));
        slot *row = node ? slot_of_layer(all, meso_net_find(net, node->net_layer)) : NULL;
        MESO_DEMAND(row, error, MESO_ERROR_DATA, "layer %s is not in the file's architecture",
                    MESO_PRINTABLE(label_of(&file->layers[i])));
        row->source = &file->layers[i];
    }
    return MESO_OK;
}

/* By its name, "conv2d_1/kernel:0"; -1 for a name that says nothing. */
static int role_by_name(const char *name)
{
    static const struct {
        const char *name;
        meso_param_kind role;
    } rows[] = {{"kernel", MESO_PARAM_KERNEL},    {"bias", MESO_PARAM_BIAS},
                {"gamma", MESO_PARAM_GAMMA},      {"beta", MESO_PARAM_BETA},
                {"moving_mean", MESO_PARAM_MEAN}, {"moving_variance", MESO_PARAM_VARIANCE}};
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    size_t n = strcspn(base, ":");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(rows[i].name) == n && strncmp(base, rows[i].name, n) == 0)
            return (int)rows[i].role;
    return -1;
}

/* Position i of n arrays, in Keras' order: kernel, bias; or gamma, beta, mean, variance, of which
 * the first two may be missing. -1: cannot be told. */
static int role_by_place(const slot *row, const meso_keras_node *node, size_t i, size_t n)
{
    if (row->kind != NORM)
        return i < 2 ? (int)(MESO_PARAM_KERNEL + i) : -1;
    if (i + 2 >= n)
        return (int)(MESO_PARAM_VARIANCE - (n - 1 - i));
    if (n == 4)
        return (int)(MESO_PARAM_GAMMA + i);
    if (!node)
        return -1;
    return node->has_gamma ? MESO_PARAM_GAMMA : MESO_PARAM_BETA;
}

static meso_status assign_roles(const slot *row, const meso_keras_node *node,
                                const meso_keras_array *roles[n_roles], meso_error *error)
{
    const meso_keras_layer *source = row->source;
    for (size_t i = 0; i < source->n_arrays; i++) {
        int role = role_by_name(source->arrays[i].name);
        if (role < 0)
            role = role_by_place(row, node, i, source->n_arrays);
        MESO_DEMAND(role >= 0 || row->kind != NORM, error, MESO_ERROR_DATA,
                    "layer %s has %zu arrays without names, so either gamma or beta is missing: "
                    "convert the whole model (.keras), which says which",
                    MESO_PRINTABLE(label_of(source)), source->n_arrays);
        MESO_DEMAND(role >= 0 && !roles[role] && row->params[role], error, MESO_ERROR_DATA,
                    "array %s of layer %s has no place in layer %s of the net",
                    MESO_PRINTABLE(source->arrays[i].name), MESO_PRINTABLE(label_of(source)),
                    row->layer->name);
        roles[role] = &source->arrays[i];
    }
    return MESO_OK;
}

/* Batch normalisation without scale or centre is one with 1 or 0 there. */
static meso_status add_constant(meso_weights *weights, const meso_param *param, float value,
                                meso_error *error)
{
    meso_tensor *tensor = NULL;
    meso_status status =
        meso_weights_new(weights, param->name, param->dims, param->n_dims, &tensor, error);
    for (size_t i = 0; status == MESO_OK && i < tensor->n_values; i++)
        tensor->values[i] = value;
    return status;
}

/* The values of kernel [height][width][in][out] with height and width the other way round. */
static meso_status add_turned(const meso_keras_array *kernel, const meso_param *param,
                              meso_weights *weights, meso_error *error)
{
    meso_tensor *tensor = NULL;
    meso_status status =
        meso_weights_new(weights, param->name, param->dims, param->n_dims, &tensor, error);
    const size_t n_places = kernel->dims[0] * kernel->dims[1];
    const size_t n_each = kernel->dims[2] * kernel->dims[3];
    for (size_t i = 0; status == MESO_OK && i < n_places; i++)
        memcpy(tensor->values + i * n_each, kernel->values + (n_places - 1 - i) * n_each,
               n_each * sizeof *kernel->values);
    return status;
}

static meso_status fill_slot(const slot *row, const meso_keras_node *node, int turn,
                             meso_weights *weights, meso_error *error)
{
    const meso_keras_array *roles[n_roles] = {0};
    MESO_DEMAND(row->source, error, MESO_ERROR_DATA, "it has nothing for layer %s of the net",
                row->layer->name);
    MESO_CHECK(assign_roles(row, node, roles, error));
    for (int role = 0; role < n_roles; role++) {
        const meso_param *param = row->params[role];
        const meso_keras_array *array = roles[role];
        if (!param)
            continue;
        if (!array && (role == MESO_PARAM_GAMMA || role == MESO_PARAM_BETA)) {
            MESO_CHECK(add_constant(weights, param, role == MESO_PARAM_GAMMA, error));
            continue;
        }
        MESO_DEMAND(array, error, MESO_ERROR_DATA, "layer %s has no values for %s of the net",
                    MESO_PRINTABLE(label_of(row->source)), param->name);
        MESO_DEMAND(array->n_dims == param->n_dims &&
                        memcmp(array->dims, param->dims, param->n_dims * sizeof *param->dims) == 0,
                    error, MESO_ERROR_DATA, "layer %s has shape %s; %s of the net needs %s",
                    MESO_PRINTABLE(label_of(row->source)), MESO_DIMS(array->dims, array->n_dims),
                    param->name, MESO_DIMS(param->dims, param->n_dims));
        if (turn && row->kind == CONV && role == MESO_PARAM_KERNEL)
            MESO_CHECK(add_turned(array, param, weights, error));
        else
            MESO_CHECK(meso_weights_add(weights, param->name, array->dims, array->n_dims,
                                        array->values, error));
    }
    return MESO_OK;
}

meso_status meso_keras_map(const meso_keras_file *file, const meso_keras_plan *plan,
                           const meso_net *net, meso_weights *weights, meso_error *error)
{
    meso_status status = MESO_OK;
    slots all = {0};
    MESO_TRY(gather_slots(net, &all, error));
    if (plan)
        MESO_TRY(match_by_plan(file, plan, net, &all, error));
    else
        MESO_TRY(match_by_order(file, &all, error));
    for (size_t i = 0; i < all.n; i++) {
        const meso_keras_node *node =
            plan && all.rows[i].source ? node_of(plan, all.rows[i].source) : NULL;
        MESO_TRY(fill_slot(&all.rows[i], node, meso_keras_turns_kernels(file), weights, error));
    }
out:
    free(all.rows);
    return status;
}
