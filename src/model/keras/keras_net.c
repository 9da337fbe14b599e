/* SPDX-License-Identifier: Apache-2.0
 *
 * A Keras architecture (model_config of an .h5, config.json of a .keras) as net text. Here: the
 * graph and the names; what each class of layer becomes is in keras_classes.c. Layers keep their
 * names as far as a net allows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_builder.h"
#include "model/keras/keras_builder.h"
#include "net/op/op.h"

/* ---- the graph ---- */

static keras_value *find_value(const keras_builder *b, const char *keras_name)
{
    for (size_t i = 0; i < b->n_values; i++)
        if (strcmp(b->values[i].keras_name, keras_name) == 0)
            return &b->values[i];
    return NULL;
}

static int is_input(const keras_builder *b)
{
    return strcmp(b->class_name, meso_op_input.keras_class) == 0;
}

/* The input layer: its size is kept, its line waits for a Rescaling. */
static meso_status take_input(keras_builder *b, const json_t *config)
{
    const json_t *shape = json_object_get(config, "batch_input_shape");
    if (!shape)
        shape = json_object_get(config, "batch_shape");
    if (!shape)
        shape = json_object_get(config, "build_input_shape");
    int *sides[] = {&b->height, &b->width, &b->channels};
    if (b->n_values > 0)
        return KERAS_REFUSE(b, "a second input; MesoCL's nets have one");
    for (size_t i = 0; i < 3; i++) {
        json_int_t side = json_integer_value(json_array_get(shape, i + 1));
        if (json_array_size(shape) != 4 || side < 1 || side > MESO_MAX_SIDE)
            return KERAS_REFUSE(b, "the input is not [any, height, width, channels] of known size");
        *sides[i] = (int)side;
    }
    b->values[b->n_values++] = (keras_value){.keras_name = b->layer, .rank = 4, .raw = 1};
    return MESO_OK;
}

/* Before the first line that needs it. */
static meso_status write_input_line(keras_builder *b)
{
    char name[MESO_NAME_SIZE];
    if (b->n_names > 0)
        return MESO_OK;
    meso_keras_make_name(b, b->values[0].keras_name, "", name);
    meso_text_format(&b->plan->net_text, "%s = input height=%d width=%d channels=%d", name,
                     b->height, b->width, b->channels);
    meso_keras_add_number(b, "divide", b->divide);
    meso_keras_end_line(b);
    memcpy(b->names[b->n_names++], name, sizeof name);
    for (size_t i = 0; i < b->n_values; i++)
        memcpy(b->values[i].net_name, name, sizeof name);
    return MESO_OK;
}

static meso_status emit_concat(keras_builder *b, const json_t *config, keras_value *const *inputs,
                               size_t n, keras_value *v)
{
    const char *mode = json_string_value(json_object_get(config, "mode")); /* of Keras 1 */
    *v = *inputs[0];
    if (mode && strcmp(mode, "concat") != 0)
        return KERAS_REFUSE(b, "mode %s is not supported, only concat", MESO_PRINTABLE(mode));
    MESO_CHECK(meso_keras_last_axis(b, config, v->rank));
    MESO_CHECK(meso_keras_begin_line(b, "", "concat", v->net_name));
    for (size_t i = 1; i < n; i++)
        meso_text_format(&b->plan->net_text, " %s", inputs[i]->net_name);
    meso_keras_end_line(b);
    return MESO_OK;
}

static meso_status find_inputs(const keras_builder *b, const char *const *names, size_t n,
                               keras_value **inputs)
{
    for (size_t i = 0; i < n; i++) {
        inputs[i] = find_value(b, names[i]);
        if (!inputs[i])
            return KERAS_REFUSE(b, "its input %s is not a layer above it",
                                MESO_PRINTABLE(names[i]));
        if (inputs[i]->raw && b->plan->rescaled)
            return KERAS_REFUSE(b, "it takes the input past the Rescaling layer");
    }
    return MESO_OK;
}

/* "int8" where the layer's weights are quantised, else NULL. */
static const char *quantization_of(const json_t *config)
{
    const json_t *mode =
        json_object_get(json_object_get(json_object_get(config, "dtype"), "config"), "mode");
    return json_string_value(mode);
}

static meso_status take_layer(keras_builder *b, const json_t *config, const char *const *names,
                              size_t n)
{
    keras_value *inputs[MESO_MAX_INPUTS], v;
    int is_concat = strcmp(b->class_name, meso_op_concat.keras_class) == 0;
    keras_emit *emit = meso_keras_emit_for(b->class_name);
    MESO_DEMAND_MEMORY(!b->plan->net_text.out_of_memory, b->error);
    if (is_input(b))
        return take_input(b, config);
    const int is_idle = meso_keras_is_idle(b->class_name);
    if (!emit && !is_concat && !is_idle)
        return KERAS_REFUSE(b, "MesoCL has no such layer");
    if (quantization_of(config))
        return KERAS_REFUSE(b,
                            "its weights are quantised (%s), and only floats are read: save the "
                            "model before quantize()",
                            MESO_PRINTABLE(quantization_of(config)));
    if (n < 1 || (n > 1 && !is_concat))
        return KERAS_REFUSE(b, "it has %zu inputs", n);
    if (find_value(b, b->layer))
        return KERAS_REFUSE(b, "there are two layers of this name");
    MESO_CHECK(find_inputs(b, names, n, inputs));
    if (!is_idle && strcmp(b->class_name, "Rescaling") != 0)
        MESO_CHECK(write_input_line(b));
    v = *inputs[0];
    if (is_idle)
        meso_keras_add_node(b, b->class_name,
                            ""); /* for arrays such as a random generator's state */
    else if (is_concat)
        MESO_CHECK(emit_concat(b, config, inputs, n, &v));
    else
        MESO_CHECK(emit(b, config, &v));
    v.keras_name = b->layer;
    b->values[b->n_values++] = v;
    return MESO_OK;
}

/* Collects the layers that a node refers to. Keras 2 writes ["name", 0, 0, {}], Keras 3 the same
 * behind "keras_history"; both anywhere inside lists and objects. Returns how many; counts on past
 * the room. */
static size_t collect_names(const json_t *json, const char **names, size_t n)
{
    const json_t *one;
    size_t i;
    const char *key;
    if (json_is_array(json) && json_is_string(json_array_get(json, 0)) &&
        json_is_integer(json_array_get(json, 1)) && json_is_integer(json_array_get(json, 2))) {
        if (n < MESO_MAX_INPUTS)
            names[n] = json_string_value(json_array_get(json, 0));
        return n + 1;
    }
    if (json_is_array(json))
        json_array_foreach (json, i, one)
            n = collect_names(one, names, n);
    if (json_is_object(json))
        json_object_foreach ((json_t *)json, key, one)
            n = collect_names(one, names, n);
    return n;
}

/* Name and class of the layer into the builder; returns its config. All of them as Keras 3 has
 * them. */
static const json_t *open_layer(keras_builder *b, const json_t *layer)
{
    json_t *config = json_object_get(layer, "config");
    const char *class_name = json_string_value(json_object_get(layer, "class_name"));
    const char *name = json_string_value(json_object_get(config, "name"));
    b->layer = name ? name : "?";
    b->class_name = class_name ? meso_keras_class_today(class_name) : "?";
    if (!meso_keras_config_today(b->class_name, config))
        b->plan->net_text.out_of_memory = 1; /* which take_layer reports */
    return config;
}

static meso_status take_sequential(keras_builder *b, const json_t *model, const json_t *layers)
{
    size_t i;
    json_t *layer;
    json_array_foreach (layers, i, layer) {
        const json_t *config = open_layer(b, layer);
        const char *previous = b->n_values ? b->values[b->n_values - 1].keras_name : NULL;
        if (!previous && !is_input(b)) {
            /* Older Keras: the first layer, or the model, says what comes in. */
            int in_layer = json_object_get(config, "batch_input_shape") != NULL;
            const char *name = b->layer;
            b->layer = previous = "image";
            MESO_CHECK(take_input(b, in_layer ? config : model));
            b->layer = name;
        }
        MESO_CHECK(take_layer(b, config, &previous, previous != NULL));
    }
    return MESO_OK;
}

static meso_status take_functional(keras_builder *b, const json_t *model, const json_t *layers)
{
    const char *names[MESO_MAX_INPUTS];
    size_t i;
    json_t *layer;
    json_array_foreach (layers, i, layer) {
        const json_t *config = open_layer(b, layer);
        const json_t *nodes = json_object_get(layer, "inbound_nodes");
        size_t n = collect_names(nodes, names, 0);
        if (json_array_size(nodes) > 1)
            return KERAS_REFUSE(b, "it is used %zu times; MesoCL's layers are used once",
                                json_array_size(nodes));
        if (n > MESO_MAX_INPUTS)
            return KERAS_REFUSE(b, "it has %zu inputs; at most %d are allowed", n, MESO_MAX_INPUTS);
        MESO_CHECK(take_layer(b, config, names, n));
    }
    MESO_DEMAND(collect_names(json_object_get(model, "output_layers"), names, 0) == 1, b->error,
                MESO_ERROR_DATA, "the model has several outputs; MesoCL's nets have one");
    const keras_value *output = find_value(b, names[0]);
    MESO_DEMAND(output && b->n_names && strcmp(output->net_name, b->names[b->n_names - 1]) == 0,
                b->error, MESO_ERROR_DATA, "layer %s, the output, is not the last layer",
                MESO_PRINTABLE(names[0]));
    return MESO_OK;
}

static meso_status take_model(keras_builder *b, const json_t *root)
{
    const json_t *model = open_layer(b, root);
    /* Keras before 2.2 wrote a Sequential's layers without anything around. */
    const json_t *layers = json_is_array(model) ? model : json_object_get(model, "layers");
    size_t n = json_array_size(layers);
    int sequential = strcmp(b->class_name, "Sequential") == 0;
    if (!sequential && strcmp(b->class_name, "Functional") != 0)
        return KERAS_REFUSE(b, "only Sequential and Functional models are read");
    if (n == 0 || n > MESO_MAX_LAYERS)
        return KERAS_REFUSE(b, "%zu layers; 1 to %d are read", n, MESO_MAX_LAYERS);
    MESO_DEMAND_MEMORY(b->values = calloc(n + 1, sizeof *b->values), b->error);
    MESO_DEMAND_MEMORY(b->names = calloc(MESO_MAX_LAYERS, sizeof *b->names), b->error);
    MESO_DEMAND_MEMORY(b->plan->nodes = calloc(n, sizeof *b->plan->nodes), b->error);
    MESO_CHECK(sequential ? take_sequential(b, model, layers) : take_functional(b, model, layers));
    MESO_DEMAND_MEMORY(!b->plan->net_text.out_of_memory, b->error);
    MESO_DEMAND(b->n_names > 0, b->error, MESO_ERROR_DATA, "the model has no layers");
    return MESO_OK;
}

meso_status meso_keras_plan_make(const char *config, meso_keras_plan *plan, meso_error *error)
{
    meso_status status = MESO_OK;
    keras_builder b = {.plan = plan, .divide = 255, .error = error};
    json_error_t fault;
    *plan = (meso_keras_plan){0};
    json_t *root = NULL;
    status = meso_json_load(config, strlen(config), &root, &fault);
    MESO_REQUIRE(status != MESO_ERROR_MEMORY, error, status, "out of memory");
    MESO_REQUIRE(status == MESO_OK, error, status,
                 "its architecture is not valid JSON: %s (byte %d)", MESO_PRINTABLE(fault.text),
                 fault.position);
    MESO_TRY(take_model(&b, root));
out:
    json_decref(root);
    free(b.values);
    free(b.names);
    return status;
}

void meso_keras_plan_free(meso_keras_plan *plan)
{
    for (size_t i = 0; i < plan->n_nodes; i++)
        free(plan->nodes[i].keras_name);
    free(plan->nodes);
    meso_text_free(&plan->net_text);
    *plan = (meso_keras_plan){0};
}
