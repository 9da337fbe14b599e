/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras architectures as net text, and streams of mesocl-h5import that are not what they must be:
 * without any Keras file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/keras/keras_import.h"
#include "model/weights/weights.h"
#include "net/op/op.h"

/* Sequential, quotes as ' to be readable; layers follow. */
#define INPUT "{'class_name':'InputLayer','config':{'name':'in','batch_shape':[null,8,8,3]}}"
#define CONV(name, more)                                                                  \
    "{'class_name':'Conv2D','config':{'name':'" name "','filters':4,'kernel_size':[3,3]," \
    "'padding':'same'" more "}}"
#define DENSE_WITH(name) \
    "{'class_name':'Dense','config':{'name':'d','units':1,'activation':'" name "'}}"
#define DENSE DENSE_WITH("sigmoid")
#define LAYER(class_name, more) "{'class_name':'" class_name "','config':{'name':'x'" more "}}"
#define NEXT(class_name, name, more) \
    ",{'class_name':'" class_name "','config':{'name':'" name "'" more "}}"
#define SEQUENTIAL(layers) "{'class_name':'Sequential','config':{'name':'s','layers':[" layers "]}}"
/* A functional model, its layers given in full; out is output_layers. */
#define FUNCTIONAL(layers, out)                                         \
    "{'class_name':'Functional','config':{'name':'f','layers':[" layers \
    "],'input_layers':[['in',0,0]],'output_layers':" out "}}"
#define NODE(class_name, name, more, from)                                                       \
    "{'class_name':'" class_name "','config':{'name':'" name "'" more "},'inbound_nodes':[" from \
    "]}"

static meso_status make(const char *config, meso_keras_plan *plan, meso_error *error)
{
    char *json = strdup(config);
    assert_non_null(json);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    meso_status status = meso_keras_plan_make(json, plan, error);
    free(json);
    return status;
}

static const struct {
    const char *config, *reason;
} refused[] = {
    {"{", "not valid JSON"},
    {"[]", "only Sequential and Functional"},
    {"{'class_name':'Sequential','class_name':'Sequential','config':[]}", "not valid JSON"},
    {SEQUENTIAL(""), "0 layers"},
    {SEQUENTIAL(INPUT), "has no layers"},
    {SEQUENTIAL(INPUT "," LAYER("Conv2DTranspose", "")),
     "layer x (Conv2DTranspose): MesoCL has no such"},
    {SEQUENTIAL(INPUT "," SEQUENTIAL(CONV("c", ""))), "layer s (Sequential): MesoCL has no such"},
    {SEQUENTIAL(INPUT "," INPUT), "a second input"},
    {SEQUENTIAL(CONV("c", "")), "not [any, height, width, channels]"},
    {SEQUENTIAL(CONV("c", ",'batch_input_shape':[null,null,null,3]")), "not [any, height"},
    {SEQUENTIAL(INPUT "," CONV("c", ",'data_format':'channels_first'")),
     "data_format=channels_first"},
    {SEQUENTIAL(INPUT "," CONV("c", ",'groups':2")), "groups of channels"},
    {SEQUENTIAL(INPUT "," CONV("c", ",'strides':[2]")), "strides is not one or two"},
    {SEQUENTIAL(INPUT "," CONV("c", ",'strides':[0,1]")), "strides is not one or two"},
    {SEQUENTIAL(INPUT "," CONV("c", ",'activation':'swish'")), "activation swish is not supported"},
    {SEQUENTIAL(INPUT "," CONV("c", ",'activation':{'class_name':'LeakyReLU'}")),
     "not given by name"},
    {SEQUENTIAL(INPUT "," LAYER("MaxPooling2D", ",'pool_size':2,'padding':'causal'")),
     "padding=causal"},
    {SEQUENTIAL(INPUT "," LAYER("MaxPooling2D", ",'padding':'same','pool_size':[2,0]")),
     "pool_size is not one or two"},
    {SEQUENTIAL(INPUT "," LAYER("BatchNormalization", ",'axis':1")), "only the last axis"},
    {SEQUENTIAL(INPUT "," LAYER("BatchNormalizationV2", ",'axis':1")), "only the last axis"},
    {SEQUENTIAL(INPUT "," LAYER("BatchNormalization", ",'mode':2")), "mode 2 is not supported"},
    {SEQUENTIAL(INPUT "," LAYER("Merge", ",'mode':'sum'")), "mode sum is not supported"},
    {SEQUENTIAL(INPUT "," LAYER("MaxPooling2D", ",'dim_ordering':'th'")),
     "data_format=channels_first"},
    {SEQUENTIAL(INPUT "," LAYER("Dropout", "")), "does not say its rate"},
    {SEQUENTIAL(INPUT "," LAYER("Normalization", "")), "a BatchNormalization"},
    {SEQUENTIAL(INPUT "," LAYER("Flatten", ",'dtype':{'config':{'mode':'int8'}}")),
     "quantised (int8)"},
    {SEQUENTIAL(INPUT "," LAYER("ReLU", ",'threshold':0.5")), "threshold are not supported"},
    {SEQUENTIAL(INPUT "," LAYER("GlobalAveragePooling2D", ",'keepdims':true")), "keepdims"},
    {SEQUENTIAL(INPUT "," DENSE), "Flatten them first"},
    {SEQUENTIAL(INPUT "," LAYER("Rescaling", ",'scale':0.5,'offset':-1")), "without offset"},
    {SEQUENTIAL(INPUT "," CONV("c", "") "," LAYER("Rescaling", ",'scale':0.5")),
     "directly behind the input"},
    {SEQUENTIAL(INPUT "," CONV("c", "") "," CONV("c", "")), "two layers of this name"},
    {FUNCTIONAL(NODE("InputLayer", "in", ",'batch_shape':[null,8,8,3]",
                     "") "," NODE("Flatten", "a", "", "[['in',0,0,{}]],[['in',0,0,{}]]"),
                "[['a',0,0]]"),
     "it is used 2 times"},
    {FUNCTIONAL(NODE("InputLayer", "in", ",'batch_shape':[null,8,8,3]",
                     "") "," NODE("Flatten", "a", "", "[['b',0,0,{}]]"),
                "[['a',0,0]]"),
     "its input b is not a layer above it"},
    {FUNCTIONAL(NODE("InputLayer", "in", ",'batch_shape':[null,8,8,3]",
                     "") "," NODE("Flatten", "a", "", "[['in',0,0,{}],['in',0,0,{}]]"),
                "[['a',0,0]]"),
     "it has 2 inputs"},
    {FUNCTIONAL(NODE("InputLayer", "in", ",'batch_shape':[null,8,8,3]",
                     "") "," NODE("Flatten", "a", "", "[['in',0,0,{}]]"),
                "[['a',0,0],['in',0,0]]"),
     "several outputs"},
    {FUNCTIONAL(NODE("InputLayer", "in", ",'batch_shape':[null,8,8,3]", "") "," NODE(
                    "Flatten", "a", "", "[['in',0,0,{}]]") "," NODE("Dropout", "b", ",'rate':0.5",
                                                                    "[['a',0,0,{}]]"),
                "[['a',0,0]]"),
     "layer a, the output, is not the last"},
    {FUNCTIONAL(NODE("InputLayer", "in", ",'batch_shape':[null,8,8,3]",
                     "") "," NODE("Rescaling", "r", ",'scale':0.5",
                                  "[['in',0,0,{}]]") "," NODE("Concatenate", "b", "",
                                                              "[['in',0,0,{}],['r',0,0,{}]]"),
                "[['b',0,0]]"),
     "past the Rescaling layer"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        meso_keras_plan plan;
        meso_error error = {0};
        meso_status status = make(refused[i].config, &plan, &error);
        meso_keras_plan_free(&plan);
        if (status != MESO_ERROR_DATA || !strstr(error.text, refused[i].reason))
            fail_msg("row %zu: expected '%s', got '%s'", i, refused[i].reason, error.text);
    }
}

static const struct {
    const char *config, *net;
} accepted[] = {
    /* As Keras 2.1.5 writes it: no InputLayer, a bare list, numbers as arrays, strange names. */
    {"{'class_name':'Sequential','config':["
     "{'class_name':'Conv2D','config':{'name':'conv-1/"
     "a','batch_input_shape':[null,8,6,3],'filters':4,"
     "'kernel_size':[3,5],'strides':[2,1],'padding':'valid','dilation_rate':[1,1],'activation':'"
     "relu'}},"
     "{'class_name':'LeakyReLU','config':{'name':'conv-1.a','alpha':{'type':'ndarray','value':0.1}}"
     "},"
     "{'class_name':'MaxPooling2D','config':{'name':'1','pool_size':[2,2],'strides':null,"
     "'padding':'same'}}]}",
     "image = input height=8 width=6 channels=3 divide=255\n"
     "conv_1_a = conv image filters=4 dilation=1x1 window=3x5 stride=2x1 pad=valid\n"
     "conv_1_a_bias = bias conv_1_a\n"
     "conv_1_a_relu = relu conv_1_a_bias\n"
     "conv_1_a_2 = leaky_relu conv_1_a_relu slope=0.1\n"
     "_1 = max_pool conv_1_a_2 window=2x2 stride=2x2 pad=same\n"},
    {SEQUENTIAL(INPUT "," LAYER("Rescaling", ",'scale':0.5") "," CONV(
         "c", ",'use_bias':false") ","
                                   "{'class_name':'LeakyReLU','config':{'name':'l'}},"
                                   "{'class_name':'Activation','config':{'name':'a','activation':'"
                                   "linear'}},"
                                   "{'class_name':'GlobalAveragePooling2D','config':{'name':'g'}}"
                                   "," DENSE),
     "in = input height=8 width=8 channels=3 divide=2\n"
     "c = conv in filters=4 dilation=1x1 window=3x3 stride=1x1 pad=same\n"
     "l = leaky_relu c slope=0.3\n"
     "g = global_avg_pool l\n"
     "d = dense g units=1\n"
     "d_bias = bias d\n"
     "d_sigmoid = sigmoid d_bias\n"},
    /* Keras 1's names and defaults; layers that do nothing, before the Rescaling, too. */
    {SEQUENTIAL(INPUT NEXT("RandomFlip", "f", "") NEXT("Rescaling", "r", ",'scale':0.5") NEXT(
         "Convolution2D", "c",
         ",'nb_filter':4,'nb_row':3,'nb_col':5,'border_mode':'same',"
         "'subsample':[2,2],'dim_ordering':'tf','bias':false") NEXT("GaussianNoise", "n", "")
                    NEXT("MaxPooling2D", "m", "") NEXT("Dropout", "p", ",'p':0.25")
                        NEXT("GlobalAveragePooling2D", "g", "")
                            NEXT("Dense", "d", ",'output_dim':2") NEXT("Softmax", "s", "")),
     "in = input height=8 width=8 channels=3 divide=2\n"
     "c = conv in filters=4 dilation=1x1 window=3x5 stride=2x2 pad=same\n"
     "m = max_pool c window=2x2 stride=2x2 pad=valid\n"
     "p = dropout m rate=0.25\n"
     "g = global_avg_pool p\n"
     "d = dense g units=2\n"
     "d_bias = bias d\n"
     "s = softmax d_bias\n"},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        meso_keras_plan plan;
        meso_error error = {0};
        meso_net *net = NULL;
        if (make(accepted[i].config, &plan, &error) != MESO_OK)
            fail_msg("%s", error.text);
        assert_string_equal(plan.net_text.bytes, accepted[i].net);
        if (meso_net_parse(plan.net_text.bytes, "made", &net, &error) != MESO_OK)
            fail_msg("%s", error.text);
        meso_net_close(net);
        meso_keras_plan_free(&plan);
    }
}

/* The net of a config must end with that op, or the config say too little of it. */
static void must_import(const meso_op *op, const char *config)
{
    meso_keras_plan plan;
    meso_error error = {0};
    meso_net *net = NULL;
    meso_status status = make(config, &plan, &error);
    if (status != MESO_OK && strstr(error.text, "no such layer"))
        fail_msg("op %s: %s", op->name, error.text);
    if (status == MESO_OK && meso_net_parse(plan.net_text.bytes, "made", &net, &error) != MESO_OK)
        fail_msg("op %s: %s", op->name, error.text);
    if (net)
        assert_ptr_equal(net->layers[net->n_layers - 1].op, op);
    meso_net_close(net);
    meso_keras_plan_free(&plan);
}

/* Every op is said to be something of Keras, which the import then knows. A bias is inside of conv
 * and dense there; its prelu has a slope for each pixel and is not imported. */
static void every_op_is_imported(void **state)
{
    (void)state;
    for (size_t i = 0; meso_op_at(i); i++) {
        const meso_op *op = meso_op_at(i);
        char config[1024];
        if (!op->keras_class && !op->keras_functions[0].name && op != &meso_op_bias &&
            op != &meso_op_prelu)
            fail_msg("op %s has neither keras_class nor keras_functions", op->name);
        if (op->keras_class) {
            snprintf(config, sizeof config, SEQUENTIAL(INPUT "," LAYER("%s", "")), op->keras_class);
            must_import(op, config);
        }
        for (const meso_keras_function *f = op->keras_functions; f->name; f++) {
            snprintf(config, sizeof config,
                     SEQUENTIAL(INPUT "," LAYER("Flatten", "") "," DENSE_WITH("%s")), f->name);
            must_import(op, config);
        }
    }
}

/* ---- streams ---- */

#define SHA "0123456789012345678901234567890123456789012345678901234567890123"
#define HEAD "mesocl-h5import 1\n{\"kind\":\"h5-weights\",\"sha256\":\"" SHA "\",\"layers\":["
#define ARRAY "{\"name\":\"kernel:0\",\"shape\":[1,2]}"
#define STREAM(layers, data)                                         \
    {                                                                \
        HEAD layers "]}\n" data, sizeof(HEAD layers "]}\n" data) - 1 \
    }

typedef struct stream {
    const char *bytes;
    size_t n;
} stream;

static const struct {
    stream stream;
    const char *reason;
} bad_streams[] = {
    {{"", 0}, "first line is missing"},
    {{"mesocl-h5import 2\n{}\n", 21}, "first line is missing"},
    {{"mesocl-h5import 1\n{}", 20}, "cut off"},
    {{"mesocl-h5import 1\n{}\nabc", 24}, "cut off"},
    {{"mesocl-h5import 1\n}\n", 20}, "not JSON"},
    {{"mesocl-h5import 1\n{}\n", 21}, "without kind"},
    {STREAM("{\"name\":\"d\",\"group\":\"d\",\"arrays\":[" ARRAY "]}", "12345678abcd"),
     "left over"},
    {STREAM("{\"name\":\"d\",\"group\":\"d\",\"arrays\":[" ARRAY "]}", "1234"),
     "values are missing"},
    {STREAM("{\"name\":\"d\",\"arrays\":[" ARRAY "]}", "12345678"), "without a group"},
    {STREAM("{\"name\":\"d\",\"group\":\"d\",\"arrays\":[{\"shape\":[2]}]}", "12345678"),
     "without name"},
    {STREAM("{\"name\":\"d\",\"group\":\"d\",\"arrays\":[{\"name\":\"k\",\"shape\":[-1]}]}", ""),
     "impossible"},
    {STREAM("{\"name\":\"d\",\"group\":\"d\",\"arrays\":[{\"name\":\"k\",\"shape\":[4294967296,"
            "4294967296,2]}]}",
            ""),
     "impossible"},
};

static void test_bad_streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_streams / sizeof bad_streams[0]; i++) {
        meso_keras_file *file = NULL;
        meso_error error = {0};
        meso_status status =
            meso_keras_parse(bad_streams[i].stream.bytes, bad_streams[i].stream.n, &file, &error);
        if (status != MESO_ERROR_DATA || file || !strstr(error.text, bad_streams[i].reason))
            fail_msg("row %zu: expected '%s', got '%s'", i, bad_streams[i].reason, error.text);
    }
}

/* Layers of one file against one small net: what is missing, too much, or not to be told apart. */
static const char small_net[] = "image = input height=1 width=1 channels=2 divide=255\n"
                                "flat = flatten image\n"
                                "d = dense flat units=1\n"
                                "d_bias = bias d\n"
                                "n = batch_norm d_bias epsilon=0.001\n";
#define LAYER_OF(name, arrays) \
    "{\"name\":\"" name "\",\"group\":\"" name "\",\"arrays\":[" arrays "]}"
#define ONE(name) "{\"name\":\"" name "\",\"shape\":[1]}"
#define GOOD_DENSE LAYER_OF("dense", "{\"name\":\"kernel:0\",\"shape\":[2,1]}," ONE("bias:0"))
#define GOOD_NORM LAYER_OF("bn", ONE("moving_mean:0") "," ONE("moving_variance:0"))

static const struct {
    const char *layers;
    size_t n_values;
    const char *reason; /* NULL: it fits */
} maps[] = {
    {GOOD_DENSE "," GOOD_NORM, 5, NULL},
    {GOOD_NORM "," GOOD_DENSE, 5, NULL},
    {GOOD_DENSE, 3, "it has nothing for layer n of the net"},
    {GOOD_DENSE "," GOOD_NORM "," GOOD_DENSE, 8, "it has more dense layers than the net"},
    {LAYER_OF("dense", "{\"name\":\"kernel:0\",\"shape\":[2,1]}") "," GOOD_NORM, 4,
     "has no values for d_bias.bias"},
    {LAYER_OF("dense", "{\"name\":\"kernel:0\",\"shape\":[1,2]}," ONE("bias:0")) "," GOOD_NORM, 5,
     "layer dense has shape 1x2; d.kernel of the net needs 2x1"},
    {LAYER_OF("dense", "{\"name\":\"kernel:0\",\"shape\":[2,1]}," ONE("kernel:0")) "," GOOD_NORM, 5,
     "has no place"},
    {GOOD_DENSE "," LAYER_OF("bn", ONE("0") "," ONE("1") "," ONE("2")), 6, "gamma or beta"},
    {GOOD_DENSE
     "," LAYER_OF("bn", ONE("beta:0") "," ONE("moving_mean:0") "," ONE("moving_variance:0")),
     6, NULL},
    {GOOD_DENSE "," LAYER_OF("bn", ONE("0")), 4, "arrays that no layer of MesoCL has"},
    {LAYER_OF("dense", "{\"name\":\"0\",\"shape\":[2,1,1]}"), 2,
     "arrays that no layer of MesoCL has"},
};

static void test_maps(void **state)
{
    meso_net *net = NULL;
    (void)state;
    assert_int_equal(meso_net_parse(small_net, "small", &net, NULL), MESO_OK);
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        char bytes[2048];
        meso_error error = {0};
        meso_keras_file *file = NULL;
        meso_weights *weights = NULL;
        meso_keras_found found;
        const meso_keras_options options = {net, "real,fake", "x.h5"};
        int n = snprintf(bytes, sizeof bytes, "%s%s]}\n", HEAD, maps[i].layers);
        for (size_t k = 0; k < maps[i].n_values; k++, n += 4)
            memcpy(bytes + n, "\0\0\x80\x3F", 4); /* 1.0 */
        if (meso_keras_parse(bytes, (size_t)n, &file, &error) != MESO_OK)
            fail_msg("row %zu: %s", i, error.text);
        meso_status status = meso_keras_import(file, &options, &weights, &found, &error);
        if (status != (maps[i].reason ? MESO_ERROR_DATA : MESO_OK) ||
            (maps[i].reason && !strstr(error.text, maps[i].reason)))
            fail_msg("row %zu: expected '%s', got '%s'", i, maps[i].reason ? maps[i].reason : "",
                     error.text);
        meso_weights_close(weights);
        meso_keras_close(file);
    }
    meso_net_close(net);
}

/* Theano convolves, where others correlate: its kernels are turned by 180°, filter by filter. */
static void test_theano(void **state)
{
    static const char conv_net[] = "image = input height=4 width=4 channels=1 divide=255\n"
                                   "c = conv image filters=2 window=2x3 stride=1x1 dilation=1x1 "
                                   "pad=same\n";
    static const struct {
        const char *backend;
        int turned;
    } rows[] = {{"\"theano\"", 1}, {"\"tensorflow\"", 0}, {"\"cntk\"", 0}, {"null", 0}};
    meso_net *net = NULL;
    (void)state;
    assert_int_equal(meso_net_parse(conv_net, "conv", &net, NULL), MESO_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bytes[2048];
        meso_keras_file *file = NULL;
        meso_weights *weights = NULL;
        meso_keras_found found;
        meso_text words = {0};
        const meso_keras_options options = {net, "real,fake", "x.h5"};
        int n = snprintf(bytes, sizeof bytes, "%.*s\"backend\":%s,%s%s]}\n",
                         (int)(strstr(HEAD, "\"kind\"") - HEAD), HEAD, rows[i].backend,
                         strstr(HEAD, "\"kind\""),
                         LAYER_OF("conv2d", "{\"name\":\"kernel:0\",\"shape\":[2,3,1,2]}"));
        for (int k = 0; k < 12; k++, n += 4) {
            float value = (float)k;
            memcpy(bytes + n, &value, 4);
        }
        assert_int_equal(meso_keras_parse(bytes, (size_t)n, &file, NULL), MESO_OK);
        assert_int_equal(meso_keras_import(file, &options, &weights, &found, NULL), MESO_OK);
        const float *kernel = meso_weights_find(weights, "c.kernel")->values;
        for (int k = 0; k < 12; k++)
            assert_true(kernel[k] == (float)(rows[i].turned ? 2 * (5 - k / 2) + k % 2 : k));
        meso_keras_describe(file, &words);
        assert_int_equal(strstr(words.bytes, "turned by 180°") != NULL, rows[i].turned);
        meso_text_free(&words);
        meso_weights_close(weights);
        meso_keras_close(file);
    }
    meso_net_close(net);
}

static void test_classes(void **state)
{
    static const char *const bad[] = {"",         "fake",      "fake,",
                                      ",real",    "fake,fake", "real,original",
                                      "fake,cat", "cat,real",  "fake,real,x"};
    meso_classes classes;
    (void)state;
    assert_int_equal(meso_classes_parse("fake,real", MESO_ERROR_DATA, &classes, NULL), MESO_OK);
    assert_int_equal(classes.real, 1);
    assert_int_equal(meso_classes_parse("Pristine,DF", MESO_ERROR_DATA, &classes, NULL), MESO_OK);
    assert_int_equal(classes.real, 0);
    assert_string_equal(classes.names[1], "DF");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (meso_classes_parse(bad[i], MESO_ERROR_ARGUMENT, &classes, NULL) != MESO_ERROR_ARGUMENT)
            fail_msg("'%s' was taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(every_op_is_imported),
        cmocka_unit_test(test_bad_streams),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_theano),
        cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
