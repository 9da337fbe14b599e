/* SPDX-License-Identifier: Apache-2.0
 *
 * .net text → meso_net. One pass, line by line; every refusal says file and line.
 */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/text.h"
#include "net/op/op.h"

enum { max_words = 8 + MESO_MAX_INPUTS, max_line = 1024 };

/* Values of one tensor: kernels count them with an int. */
static const size_t max_values = INT_MAX / 4;

typedef struct parser {
    meso_net *net;
    int line;
    meso_error *error;
} parser;

/* Fails with the place in front of the sentence. */
#define REFUSE(p, ...) \
    meso_fail_at((p), (char[MESO_ERROR_TEXT_SIZE / 2]){0}, MESO_ERROR_TEXT_SIZE / 2, __VA_ARGS__)

static meso_status __attribute__((format(printf, 4, 5)))
meso_fail_at(const parser *p, char *sentence, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, size, format, arguments);
    va_end(arguments);
    return meso_fail(p->error, MESO_ERROR_DATA, "%s:%d: %s", MESO_PRINTABLE(p->net->name), p->line,
                     sentence);
}

static int is_name(const char *word)
{
    size_t n = strlen(word);
    if (n == 0 || n >= MESO_NAME_SIZE || !(isalpha((unsigned char)word[0]) || word[0] == '_'))
        return 0;
    for (const char *c = word; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return 0;
    return 1;
}

static int parse_int(const char *text, int low, int high, int *value)
{
    uint64_t whole;
    if (!meso_read_whole(text, &whole) || whole < (uint64_t)low || whole > (uint64_t)high)
        return 0;
    *value = (int)whole;
    return 1;
}

static int parse_real(const char *text, double low, double high, double *value)
{
    double real;
    if (!meso_read_number(text, &real) || !(real >= low && real <= high))
        return 0;
    *value = real;
    return 1;
}

/* "3x5" or "3". */
static int parse_pair(const char *text, int low, int pair[2])
{
    char left[16];
    const char *x = strchr(text, 'x');
    if (!x)
        return parse_int(text, low, MESO_MAX_SIDE, &pair[0]) && (pair[1] = pair[0], 1);
    if ((size_t)(x - text) >= sizeof left)
        return 0;
    memcpy(left, text, (size_t)(x - text));
    left[x - text] = '\0';
    return parse_int(left, low, MESO_MAX_SIDE, &pair[0]) &&
           parse_int(x + 1, low, MESO_MAX_SIDE, &pair[1]);
}

static int parse_pad(const char *text, meso_window *window)
{
    if (strcmp(text, "same") == 0)
        window->pad = MESO_PAD_SAME;
    else if (strcmp(text, "valid") == 0)
        window->pad = MESO_PAD_VALID;
    else {
        window->pad = MESO_PAD_EXPLICIT;
        return parse_pair(text, 0, window->before);
    }
    return 1;
}

static const char *const key_forms[] = {
    [MESO_KEY_COUNT] = "a whole number from 1",
    [MESO_KEY_REAL] = "a number",
    [MESO_KEY_PAIR] = "N or HEIGHTxWIDTH, each from 1",
    [MESO_KEY_PAD] = "same, valid, N or HEIGHTxWIDTH",
};

static meso_status parse_value(const parser *p, meso_layer *layer, const meso_key *key,
                               const char *text)
{
    char *place = (char *)&layer->set + key->offset;
    int good = 0;
    switch (key->kind) {
    case MESO_KEY_COUNT:
        good = parse_int(text, 1, MESO_MAX_SIDE * 16, (int *)place);
        break;
    case MESO_KEY_REAL:
        good = parse_real(text, key->low, key->high, (double *)place);
        break;
    case MESO_KEY_PAIR:
        good = parse_pair(text, 1, (int *)place);
        break;
    case MESO_KEY_PAD:
        good = parse_pad(text, (meso_window *)place);
        break;
    }
    if (good)
        return MESO_OK;
    if (key->kind == MESO_KEY_REAL)
        return REFUSE(p, "%s=%s: must be a number from %g to %g", key->name, text, key->low,
                      key->high);
    return REFUSE(p, "%s=%s: must be %s", key->name, text, key_forms[key->kind]);
}

static const meso_key *find_key(const meso_op *op, const char *name, size_t *index)
{
    for (*index = 0; op->keys && op->keys[*index].name; ++*index)
        if (strcmp(op->keys[*index].name, name) == 0)
            return &op->keys[*index];
    return NULL;
}

/* The words behind the op: inputs first, then key=value in any order, each key once. */
static meso_status parse_words(const parser *p, meso_layer *layer, char *const *words, size_t n)
{
    const meso_op *op = layer->op;
    unsigned seen = 0;
    size_t k;
    for (size_t i = 0; i < n; i++) {
        char *equals = strchr(words[i], '=');
        if (!equals) {
            const meso_layer *input = meso_net_find(p->net, words[i]);
            if (seen)
                return REFUSE(p, "input '%s' comes after a key", words[i]);
            if (!input)
                return REFUSE(p, "no layer '%s' above this line", words[i]);
            if (layer->n_inputs == op->max_inputs)
                return REFUSE(p, "%s takes at most %zu inputs", op->name, op->max_inputs);
            layer->inputs[layer->n_inputs++] = (size_t)(input - p->net->layers);
            continue;
        }
        *equals = '\0';
        const meso_key *key = find_key(op, words[i], &k);
        if (!key)
            return REFUSE(p, "%s has no key '%s'", op->name, words[i]);
        if (seen & 1u << k)
            return REFUSE(p, "key '%s' stands twice", words[i]);
        seen |= 1u << k;
        meso_status status = parse_value(p, layer, key, equals + 1);
        if (status != MESO_OK)
            return status;
    }
    if (layer->n_inputs < op->min_inputs)
        return REFUSE(p, "%s takes at least %zu input%s", op->name, op->min_inputs,
                      op->min_inputs == 1 ? "" : "s");
    for (k = 0; op->keys && op->keys[k].name; k++) {
        if (seen & 1u << k)
            continue;
        if (!op->keys[k].optional)
            return REFUSE(p, "%s needs the key '%s'", op->name, op->keys[k].name);
        *(double *)((char *)&layer->set + op->keys[k].offset) = op->keys[k].missing;
    }
    return MESO_OK;
}

/* What a layer's inputs take with the zeros that it wants around them. */
static meso_status check_padded(const parser *p, const meso_layer *layer, const meso_shape *inputs)
{
    const int halo = layer->op->halo ? layer->op->halo(layer) : 0;
    for (size_t i = 0; i < layer->n_inputs; i++) {
        const meso_shape padded = {inputs[i].c, inputs[i].h + 2 * halo, inputs[i].w + 2 * halo};
        if (meso_shape_size(padded) > max_values)
            return REFUSE(p, "input of %d channels of %d x %d is too large with %d zeros around it",
                          inputs[i].c, inputs[i].h, inputs[i].w, halo);
    }
    return MESO_OK;
}

/* Output shape and parameters of a parsed layer. */
static meso_status settle_layer(const parser *p, meso_layer *layer)
{
    meso_net *net = p->net;
    meso_shape inputs[MESO_MAX_INPUTS];
    meso_error reason = {0};
    for (size_t i = 0; i < layer->n_inputs; i++)
        inputs[i] = net->layers[layer->inputs[i]].shape;
    if (layer->op->shape(layer, inputs, &reason) != MESO_OK)
        return REFUSE(p, "%s", reason.text);
    if (layer->shape.h > MESO_MAX_SIDE || layer->shape.w > MESO_MAX_SIDE ||
        meso_shape_size(layer->shape) > max_values)
        return REFUSE(p, "output of %d channels of %d x %d is too large", layer->shape.c,
                      layer->shape.h, layer->shape.w);
    if (check_padded(p, layer, inputs) != MESO_OK)
        return MESO_ERROR_DATA;
    layer->first_param = net->n_params;
    if (!layer->op->params)
        return MESO_OK;
    meso_param *params = &net->params[net->n_params];
    layer->n_params = layer->op->params(layer, inputs, params);
    for (size_t i = 0; i < layer->n_params; i++) {
        static const char *const names[] = {
            [MESO_PARAM_KERNEL] = "kernel",    [MESO_PARAM_BIAS] = "bias",
            [MESO_PARAM_GAMMA] = "gamma",      [MESO_PARAM_BETA] = "beta",
            [MESO_PARAM_MEAN] = "moving_mean", [MESO_PARAM_VARIANCE] = "moving_variance",
            [MESO_PARAM_SLOPE] = "slope"};
        meso_param *param = &params[i];
        snprintf(param->name, sizeof param->name, "%s.%s", layer->name, names[param->kind]);
        param->layer = (size_t)(layer - net->layers);
        param->n_values = 1; /* no overflow: but for filters, dims lie inside the padded input */
        for (size_t d = 0; d < param->n_dims; d++)
            param->n_values *= param->dims[d];
        if (param->n_values > max_values)
            return REFUSE(p, "%s has too many values", param->name);
    }
    net->n_params += layer->n_params;
    return MESO_OK;
}

/* `name = op input… key=value…`, already without comment. */
static meso_status parse_line(parser *p, char *line)
{
    char *words[max_words];
    size_t n = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest)) {
        if (n == max_words)
            return REFUSE(p, "more than %d words", max_words);
        words[n++] = word;
    }
    if (n == 0)
        return MESO_OK;
    if (n < 3 || strcmp(words[1], "=") != 0)
        return REFUSE(p, "expected `name = op input... key=value...`");
    if (!is_name(words[0]))
        return REFUSE(p,
                      "'%s' is not a name: letters, digits and _ only, at most %d, no digit first",
                      words[0], MESO_NAME_SIZE - 1);
    if (meso_net_find(p->net, words[0]))
        return REFUSE(p, "the name '%s' is taken", words[0]);
    if (p->net->n_layers == MESO_MAX_LAYERS)
        return REFUSE(p, "more than %d layers", MESO_MAX_LAYERS);

    meso_layer *layer = &p->net->layers[p->net->n_layers];
    *layer = (meso_layer){.line = p->line, .op = meso_op_find(words[2])};
    if (!layer->op)
        return REFUSE(p, "unknown op '%s'", words[2]);
    if ((layer->op == &meso_op_input) != (p->net->n_layers == 0))
        return REFUSE(p, "the first layer must be the input, and no other may be");
    strcpy(layer->name, words[0]);
    meso_status status = parse_words(p, layer, words + 3, n - 3);
    if (status == MESO_OK)
        status = settle_layer(p, layer);
    if (status == MESO_OK)
        p->net->n_layers++;
    return status;
}

static meso_status parse_text(parser *p, const char *text)
{
    while (*text) {
        char line[max_line];
        size_t n = strcspn(text, "\n");
        p->line++;
        if (n >= sizeof line)
            return REFUSE(p, "longer than %d characters", max_line - 1);
        memcpy(line, text, n);
        line[n] = '\0';
        line[strcspn(line, "#")] = '\0';
        for (size_t i = 0; line[i]; i++)
            if ((line[i] < ' ' && line[i] != '\t' && line[i] != '\r') || line[i] > '~')
                return REFUSE(p, "a character that is not plain ASCII");
        meso_status status = parse_line(p, line);
        if (status != MESO_OK)
            return status;
        text += n + (text[n] == '\n');
    }
    if (p->net->n_layers == 0)
        return meso_fail(p->error, MESO_ERROR_DATA, "%s: no layers", MESO_PRINTABLE(p->net->name));
    return MESO_OK;
}

meso_status meso_net_parse(const char *text, const char *name, meso_net **net, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_net *n = calloc(1, sizeof *n);
    MESO_REQUIRE_MEMORY(n, error);
    n->name = strdup(name ? name : "net");
    n->text = strdup(text);
    n->layers = calloc(MESO_MAX_LAYERS, sizeof *n->layers);
    n->params = calloc(MESO_MAX_LAYERS * MESO_MAX_PARAMS, sizeof *n->params);
    MESO_REQUIRE_MEMORY(n->name && n->text && n->layers && n->params, error);
    MESO_TRY(parse_text(&(parser){n, 0, error}, text));
    *net = n;
    n = NULL;
out:
    meso_net_close(n);
    return status;
}
