/* SPDX-License-Identifier: Apache-2.0 */
#include "model/keras/keras_builder.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

meso_status meso_keras_refuse(const keras_builder *b, char *sentence, size_t size,
                              const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, size, format, arguments);
    va_end(arguments);
    return meso_fail(b->error, MESO_ERROR_DATA, "layer %s (%s): %s", MESO_PRINTABLE(b->layer),
                     MESO_PRINTABLE(b->class_name), sentence);
}

static int is_taken(const keras_builder *b, const char *name)
{
    for (size_t i = 0; i < b->n_names; i++)
        if (strcmp(b->names[i], name) == 0)
            return 1;
    return 0;
}

/* The Keras name in a net's alphabet, with the suffix, different from all before. */
void meso_keras_make_name(const keras_builder *b, const char *keras_name, const char *suffix,
                          char out[MESO_NAME_SIZE])
{
    char base[40];
    size_t n = 0;
    if (!isalpha((unsigned char)keras_name[0]))
        base[n++] = '_';
    for (; *keras_name && n + 1 < sizeof base; keras_name++)
        base[n++] = isalnum((unsigned char)*keras_name) ? *keras_name : '_';
    base[n] = '\0';
    snprintf(out, MESO_NAME_SIZE, "%s%s", base, suffix);
    for (int k = 2; is_taken(b, out); k++)
        snprintf(out, MESO_NAME_SIZE, "%s%s_%d", base, suffix, k);
}

/* Adds "name = op input" and leaves the line open for keys; name replaces `from` as the current
 * value. */
meso_status meso_keras_begin_line(keras_builder *b, const char *suffix, const char *op,
                                  char from[MESO_NAME_SIZE])
{
    char name[MESO_NAME_SIZE];
    if (b->n_names == MESO_MAX_LAYERS)
        return KERAS_REFUSE(b, "the net would have more than %d layers", MESO_MAX_LAYERS);
    meso_keras_make_name(b, b->layer, suffix, name);
    meso_text_format(&b->plan->net_text, "%s = %s %s", name, op, from);
    memcpy(b->names[b->n_names++], name, sizeof name);
    memcpy(from, name, sizeof name);
    return MESO_OK;
}

void meso_keras_end_line(keras_builder *b)
{
    meso_text_add(&b->plan->net_text, "\n");
}

/* With a point, whatever the process' locale, and digits that give the float back. */
void meso_keras_add_number(keras_builder *b, const char *key, double number)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.9g", number);
    for (char *c = digits; *c; c++)
        if (*c == ',')
            *c = '.';
    meso_text_format(&b->plan->net_text, " %s=%s", key, digits);
}

meso_status meso_keras_last_axis(const keras_builder *b, const json_t *config, int rank)
{
    const json_t *axis = json_object_get(config, "axis");
    if (json_is_array(axis))
        axis = json_array_get(axis, 0);
    json_int_t number = json_is_integer(axis) ? json_integer_value(axis) : -1;
    return number == -1 || number == rank - 1 ? MESO_OK
                                              : KERAS_REFUSE(b, "only the last axis is supported");
}

meso_keras_node *meso_keras_add_node(keras_builder *b, const char *store, const char *net_layer)
{
    meso_keras_node *node = &b->plan->nodes[b->plan->n_nodes];
    size_t n_stem = strlen(store);
    int number = 0;
    for (size_t i = 0; i < b->plan->n_nodes; i++)
        number += strncmp(b->plan->nodes[i].store, store, n_stem) == 0;
    snprintf(node->store, sizeof node->store, number ? "%s_%d" : "%s", store, number);
    snprintf(node->net_layer, sizeof node->net_layer, "%s", net_layer);
    node->keras_name = strdup(b->layer);
    if (!node->keras_name)
        b->plan->net_text.out_of_memory = 1; /* which take_model reports */
    b->plan->n_nodes++;
    return node;
}
