/* SPDX-License-Identifier: Apache-2.0
 *
 * A model is a net with its weights on a device. It is one .safetensors file, which carries the
 * net's text, the class names, the input size and where the weights came from.
 *
 * A model serves one thread at a time, as its device does; close models before their device.
 */
#ifndef MESOCL_MODEL_H
#define MESOCL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/device.h"
#include "mesocl/net.h"
#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct meso_model meso_model;

/* Which kernels compute. All give the same answers within a few units of the sixth digit. */
typedef enum meso_path {
    MESO_PATH_FUSED, /* fused blocks, Winograd in two dimensions, where the device and the net allow
                        it */
    MESO_PATH_EXACT, /* fused blocks, Winograd in one dimension: |Δp| ≤ 1e-6 */
    MESO_PATH_PLAIN  /* one plain kernel for each layer, on any device */
} meso_path;

/* "fused", "exact", "plain". */
MESO_API const char *meso_path_name(meso_path path);

/* How to open. Start from MESO_INIT(meso_model_options), then change what is needed. */
typedef struct meso_model_options {
    size_t struct_bytes; /* sizeof(meso_model_options) */
    const char *net;     /* a built-in net's name or a .net file, in place of the text in the weight
                            file; NULL: the file's own */
    size_t max_batch;    /* images computed at once; more are split. 0: as the path likes best */
    meso_path path;
    size_t n_lanes; /* use at most so many of the device's lanes (its cores, where it is split by
                       core); 0: all */
} meso_model_options;

/* Reads a .safetensors file; path may also be what meso_weights_read() takes: a run's folder, a
 * name, NULL. options may be NULL. The device must outlive the model.
 * Errors: NO_INPUT (no such file), DATA (not safetensors, no net in it, tensors missing, extra, of
 * the wrong shape or with values that are not finite), DEVICE, MEMORY. */
MESO_API meso_status meso_model_open(meso_device *device, const char *path,
                                     const meso_model_options *options, meso_model **model,
                                     meso_error *error);

/* A model with seeded random weights (Glorot uniform, biases 0; batch norm gamma 1, beta 0, mean 0,
 * variance 1): for tests, benchmarks, and as the start of training. The net is copied. */
MESO_API meso_status meso_model_random(meso_device *device, const meso_net *net, uint64_t seed,
                                       const meso_model_options *options, meso_model **model,
                                       meso_error *error);

MESO_API void meso_model_close(meso_model *model); /* NULL is allowed */

typedef struct meso_model_info {
    size_t struct_bytes;
    const char *net_name;
    unsigned width, height, channels; /* of the input */
    size_t n_outputs;                 /* of the last layer */
    const char *class_names[2];       /* of classes 0 and 1; a sigmoid gives P(class 1) */
    int real_output;                  /* which class is "real": 1 as published */
    size_t max_batch;                 /* images computed at once */
    meso_path path;                   /* what computes: PLAIN where nothing could be fused */
    const char *tuning;               /* the fused kernels' tuning row; "" on the plain path */
    const char *clblast;   /* layers that CLBlast computes, or why it is switched off; "":
                              nothing of either. The model's own */
    size_t n_fused_layers; /* layers that fused kernels compute */
    size_t n_lanes;        /* lanes at work */
    double build_seconds;  /* that opening took for kernels and filters */
    char weights_hash[33]; /* XXH3-128 of the weight file, hex; "" for random weights */
} meso_model_info;

/* The model's own, as long as it is open. */
MESO_API const meso_model_info *meso_model_get_info(const meso_model *model);
MESO_API const meso_net *
meso_model_net(const meso_model *model); /* the model's own; do not close */

/* One image's answer. The two add up to 1; both are given because 1 − p loses the digits of a small
 * one. */
typedef struct meso_probability {
    double fake, real;
} meso_probability;

/* Scores n pictures of width × height pixels, 8-bit RGB.
 *   pixels  [n][height][row_stride] bytes, RGBRGB… in each row; row_stride ≥ 3·width
 *   p       [n], written
 * Pictures of another size than the net's input are resized by NEAREST first, as the published
 * nets expect. Errors: ARGUMENT, DEVICE, MEMORY, DATA (the net has not one or two outputs, or the
 * result is not finite: weights and input do not fit together). */
MESO_API meso_status meso_predict_rgb8(meso_model *model, const uint8_t *pixels, size_t n,
                                       unsigned width, unsigned height, size_t row_stride,
                                       meso_probability *p, meso_error *error);

/* The same of one image file, as meso_image_load reads it, with that call's errors, too. */
MESO_API meso_status meso_predict_file(meso_model *model, const char *path, meso_probability *p,
                                       meso_error *error);

/* The same from floats as the net sees them (RGB / 255 for the published nets): input
 * [n][height][width] [channels], every value finite. */
MESO_API meso_status meso_predict_f32(meso_model *model, const float *input, size_t n,
                                      meso_probability *p, meso_error *error);

/* A layer's output for n images (float input as above), in Keras' order: out [n][height][width]
 * [channels] of that layer, as meso_net_layer() says; room for n_out floats. n ≤ max_batch.
 * Errors: ARGUMENT (no layer of that name, n_out too small), DATA (a value of the output is not
 * finite; out is written all the same), DEVICE, DEVICE_MEMORY. */
MESO_API meso_status meso_model_tap(meso_model *model, const char *layer, const float *input,
                                    size_t n, float *out, size_t n_out, meso_error *error);

#ifdef __cplusplus
}
#endif
#endif
