/* SPDX-License-Identifier: Apache-2.0
 *
 * P-Net looks at every place of every level, R-Net and O-Net at what is left: all pictures at once.
 * A head gives two logits, four edges and, of O-Net, five x and five y.
 */
#include "face/detector.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "model/weights/weights.h"
#include "net/infer.h"

/* clang-format off */
#define CONV(name, from, filters, side)                                          \
    name " = conv " from " filters=" filters " window=" side                     \
         " stride=1 dilation=1 pad=valid\n" name "_bias = bias " name "\n"
#define DENSE(name, from, units) \
    name " = dense " from " units=" units "\n" name "_bias = bias " name "\n"
#define PRELU(name, from) name " = prelu " from "_bias\n"
/* The last window is cut at the border where it does not fit: pad=same does that for windows of
 * 2×2, and of 3×3 over an even side; over an odd one all fit. */
#define POOL(name, from, side, pad) \
    name " = max_pool " from " window=" side " stride=2 pad=" pad "\n"

/* Without their input. */
static const char p_net[] =
    CONV("p_conv1", "i", "10", "3") PRELU("p_prelu1", "p_conv1")
    POOL("p_pool1", "p_prelu1", "2", "same")
    CONV("p_conv2", "p_pool1", "16", "3") PRELU("p_prelu2", "p_conv2")
    CONV("p_conv3", "p_prelu2", "32", "3") PRELU("p_prelu3", "p_conv3")
    CONV("p_head", "p_prelu3", "6", "1");
static const char r_net[] =
    CONV("r_conv1", "i", "28", "3") PRELU("r_prelu1", "r_conv1")
    POOL("r_pool1", "r_prelu1", "3", "same")
    CONV("r_conv2", "r_pool1", "48", "3") PRELU("r_prelu2", "r_conv2")
    POOL("r_pool2", "r_prelu2", "3", "valid")
    CONV("r_conv3", "r_pool2", "64", "2") PRELU("r_prelu3", "r_conv3")
    "r_flat = flatten r_prelu3\n"
    DENSE("r_dense", "r_flat", "128") PRELU("r_prelu4", "r_dense")
    DENSE("r_head", "r_prelu4", "6");
static const char o_net[] =
    CONV("o_conv1", "i", "32", "3") PRELU("o_prelu1", "o_conv1")
    POOL("o_pool1", "o_prelu1", "3", "same")
    CONV("o_conv2", "o_pool1", "64", "3") PRELU("o_prelu2", "o_conv2")
    POOL("o_pool2", "o_prelu2", "3", "valid")
    CONV("o_conv3", "o_pool2", "64", "3") PRELU("o_prelu3", "o_conv3")
    POOL("o_pool3", "o_prelu3", "2", "same")
    CONV("o_conv4", "o_pool3", "128", "2") PRELU("o_prelu4", "o_conv4")
    "o_flat = flatten o_prelu4\n"
    DENSE("o_dense", "o_flat", "256") PRELU("o_prelu5", "o_dense")
    DENSE("o_head", "o_prelu5", "16");
/* clang-format on */

enum {
    r_side = 24,
    o_side = 48,
    r_values = 6,
    o_values = 16,
    pictures_at_once = 8,
    patches_at_once = 64
};

/* One of the three, for pictures of one size. */
typedef struct face_net {
    meso_net *net;
    meso_infer infer;
} face_net;

struct face_detector {
    meso_device *device;
    meso_weights *weights;
    face_net p[FACE_MAX_LEVELS], r, o; /* p: made for `width` × `height` and min_face */
    face_level levels[FACE_MAX_LEVELS];
    size_t n_levels;
    int width, height;
    double min_face;
};

static void close_net(face_net *net)
{
    meso_infer_close(&net->infer);
    meso_net_close(net->net);
    *net = (face_net){0};
}

static meso_status open_net(face_detector *d, const char *text, int w, int h, face_net *net,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    const float *params[64];
    char whole[4096];
    snprintf(whole, sizeof whole, "i = input height=%d width=%d channels=3 divide=1\n%s", h, w,
             text);
    MESO_TRY(meso_net_parse(whole, "mtcnn", &net->net, error));
    for (size_t i = 0; i < net->net->n_params; i++) {
        const meso_param *param = &net->net->params[i];
        const meso_tensor *tensor = meso_weights_find(d->weights, param->name);
        MESO_REQUIRE(tensor && tensor->n_values == param->n_values, error, MESO_ERROR_DATA,
                     "the face detector's weights have no tensor %s of %zu values: fetch them "
                     "anew (mesocl models --get faces)",
                     param->name, param->n_values);
        params[i] = tensor->values;
    }
    const meso_infer_settings settings = {params, 0, net->net->n_layers - 1};
    status = meso_infer_open(d->device, net->net, MESO_PATH_PLAIN, &settings, &net->infer);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(d->device));
out:
    if (status != MESO_OK)
        close_net(net);
    return status;
}

static void close_levels(face_detector *d)
{
    for (size_t i = 0; i < d->n_levels; i++)
        close_net(&d->p[i]);
    d->n_levels = 0;
}

/* P-Net for every level; those of the last call serve again where the pictures are as large. */
static meso_status open_levels(face_detector *d, int w, int h, double min_face, meso_error *error)
{
    if (d->n_levels > 0 && d->width == w && d->height == h && d->min_face == min_face)
        return MESO_OK;
    close_levels(d);
    d->width = w;
    d->height = h;
    d->min_face = min_face;
    const size_t n = face_levels(w, h, min_face, d->levels);
    for (; d->n_levels < n; d->n_levels++)
        MESO_CHECK(open_net(d, p_net, d->levels[d->n_levels].width, d->levels[d->n_levels].height,
                            &d->p[d->n_levels], error));
    return MESO_OK;
}

void face_detector_close(face_detector *d)
{
    if (!d)
        return;
    close_levels(d);
    close_net(&d->r);
    close_net(&d->o);
    meso_weights_close(d->weights);
    free(d);
}

meso_status face_detector_open(meso_device *device, face_detector **detector, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    face_detector *d = NULL;
    *detector = NULL;
    const int there = meso_shipped_file(&meso_detector, &path);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_REQUIRE(there, error, MESO_ERROR_NO_INPUT,
                 "the face detector is not here: mesocl models --get faces fetches it");
    d = calloc(1, sizeof *d);
    MESO_REQUIRE_MEMORY(d, error);
    d->device = device;
    MESO_TRY(meso_weights_read(path.bytes, &d->weights, error));
    MESO_TRY(open_net(d, r_net, r_side, r_side, &d->r, error));
    MESO_TRY(open_net(d, o_net, o_side, o_side, &d->o, error));
    *detector = d;
    d = NULL;
out:
    face_detector_close(d);
    meso_text_free(&path);
    return status;
}

static meso_status compute(face_detector *d, const face_net *net, const float *in, size_t n,
                           float *out, meso_error *error)
{
    const meso_pictures pictures = {.values = in, .is_float = 1, .n = n};
    const meso_status status =
        net->infer.kind->compute(net->infer.run, &pictures, net->net->n_layers - 1, out);
    MESO_DEMAND(status == MESO_OK, error, status, "the face detector: %s",
                meso_device_error(d->device));
    return MESO_OK;
}

/* What P-Net finds on one level of all pictures. */
static meso_status search(face_detector *d, size_t level, const face_picture *pictures, size_t n,
                          face_list *list, meso_error *error)
{
    meso_status status = MESO_OK;
    const double threshold = 0.6, most_of_level = 0.5;
    const face_net *net = &d->p[level];
    const face_level *l = &d->levels[level];
    const meso_shape out = net->net->layers[net->net->n_layers - 1].shape;
    const size_t n_in = 3 * (size_t)l->width * (size_t)l->height, n_out = meso_shape_size(out);
    float *values = malloc(pictures_at_once * (n_in + n_out) * sizeof *values);
    float *head = values ? values + pictures_at_once * n_in : NULL;
    const size_t begin = list->n;
    MESO_REQUIRE_MEMORY(values, error);
    for (size_t first = 0; first < n; first += pictures_at_once) {
        const size_t some = n - first < pictures_at_once ? n - first : pictures_at_once;
        for (size_t i = 0; i < some; i++)
            face_shrink(&pictures[first + i], l->width, l->height, values + i * n_in);
        MESO_TRY(compute(d, net, values, some, head, error));
        for (size_t i = 0; i < some; i++)
            MESO_REQUIRE_MEMORY(
                face_cells(head + i * n_out, out.w, out.h, first + i, l->scale, threshold, list),
                error);
    }
    MESO_REQUIRE_MEMORY(face_suppress(list, begin, FACE_OF_UNION, most_of_level), error);
out:
    free(values);
    return status;
}

/* What a net's output says of a box. */
static void take(face *one, const float *out, int has_points)
{
    const float w = one->x2 - one->x1 + 1, h = one->y2 - one->y1 + 1;
    one->p = (float)face_softmax(out);
    for (int i = 0; i < 4; i++)
        one->regress[i] = out[2 + i];
    for (int i = 0; has_points && i < 5; i++) {
        one->points[i][0] = w * out[6 + i] + one->x1 - 1;
        one->points[i][1] = h * out[11 + i] + one->y1 - 1;
    }
}

/* Keeps the boxes that R-Net or O-Net takes for a face. */
static meso_status refine(face_detector *d, const face_net *net, const face_picture *pictures,
                          size_t begin, face_list *list, meso_error *error)
{
    enum { most_in = patches_at_once * 3 * o_side * o_side };
    meso_status status = MESO_OK;
    const double threshold = 0.7;
    const int is_last = net == &d->o, side = is_last ? o_side : r_side;
    const int n_values = is_last ? o_values : r_values;
    size_t n_kept = begin, some = 0, which[patches_at_once];
    float *in = malloc((most_in + patches_at_once * o_values) * sizeof *in);
    float *out = in ? in + most_in : NULL;
    MESO_REQUIRE_MEMORY(in, error);
    for (size_t i = begin; i < list->n; i++) {
        face_picture part;
        if (face_cut(&pictures[list->items[i].picture], &list->items[i], &part)) {
            face_shrink(&part, side, side, in + some * 3 * (size_t)(side * side));
            which[some++] = i;
        }
        if (some < patches_at_once && i + 1 < list->n)
            continue;
        if (some > 0)
            MESO_TRY(compute(d, net, in, some, out, error));
        for (size_t k = 0; k < some; k++) {
            face one = list->items[which[k]];
            take(&one, out + k * (size_t)n_values, is_last);
            if (one.p > threshold)
                list->items[n_kept++] = one;
        }
        some = 0;
    }
    list->n = n_kept;
out:
    free(in);
    return status;
}

meso_status face_detect(face_detector *d, const face_picture *pictures, size_t n, double min_face,
                        face_list *list, meso_error *error)
{
    const double most = 0.7;
    const size_t begin = list->n;
    if (n == 0)
        return MESO_OK;
    MESO_CHECK(open_levels(d, pictures[0].width, pictures[0].height, min_face, error));
    for (size_t i = 0; i < d->n_levels; i++)
        MESO_CHECK(search(d, i, pictures, n, list, error));
    MESO_DEMAND_MEMORY(face_suppress(list, begin, FACE_OF_UNION, most), error);
    for (size_t i = begin; i < list->n; i++) {
        face_regress(&list->items[i], 0);
        face_square(&list->items[i]);
    }
    MESO_CHECK(refine(d, &d->r, pictures, begin, list, error));
    MESO_DEMAND_MEMORY(face_suppress(list, begin, FACE_OF_UNION, most), error);
    for (size_t i = begin; i < list->n; i++) {
        face_regress(&list->items[i], 1);
        face_square(&list->items[i]);
    }
    MESO_CHECK(refine(d, &d->o, pictures, begin, list, error));
    for (size_t i = begin; i < list->n; i++)
        face_regress(&list->items[i], 1);
    MESO_DEMAND_MEMORY(face_suppress(list, begin, FACE_OF_SMALLER, most), error);
    return MESO_OK;
}
