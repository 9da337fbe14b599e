/* SPDX-License-Identifier: Apache-2.0
 *
 * Random changes of training pictures, as Keras' ImageDataGenerator makes them, and the centring
 * and scaling that training and evaluation share. Order: rotation, shift, shear and zoom as one
 * affine map (bilinear, edges repeated); channel shift, clipped to the picture's least and greatest
 * value; flips; brightness; division by 255; samplewise, then featurewise centring and scaling.
 *
 * What is drawn for a picture depends on the seed, the epoch and the picture alone, never on order
 * or threads. The numbers are not NumPy's.
 */
#ifndef MESOCL_AUGMENT_H
#define MESOCL_AUGMENT_H

#include <stddef.h>

#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The same settings meant three different things. */
typedef enum meso_augment_compat {
    MESO_AUGMENT_KERAS29, /* "keras2.9": Keras 2.9 to 3, the default. Rotates about (h − 1) / 2,
                             one channel shift, brightness of what is there */
    MESO_AUGMENT_KP112, /* "kp1.1.2": keras-preprocessing 1.0.1–1.1.2, TensorFlow to 2.8. Rotates
                           the other way about (h + 1) / 2, rows and columns exchanged; brightness
                           first stretches least…greatest to 0…255 */
    MESO_AUGMENT_KERAS215, /* "keras2.1.5", of the paper: geometry as kp1.1.2, a channel shift for
                              each channel, brightness first stretches 0…greatest to 0…255 */
    MESO_AUGMENT_N_COMPATS
} meso_augment_compat;

/* All zero: nothing is changed. */
typedef struct meso_augment_settings {
    double rotation_degrees;    /* within ± this; 0–360 */
    double width_shift;         /* within ± this: part of the width below 1, else pixels */
    double height_shift;        /* likewise */
    double shear_degrees;       /* within ± this; 0–360 */
    double zoom_low, zoom_high; /* factors for height and width, drawn apart; above 1 the picture
                                   gets smaller. Both 0: none */
    double channel_shift;       /* within ± this; 0–255 */
    double brightness_low, brightness_high; /* factor. Both 0: none */
    int horizontal_flip, vertical_flip;     /* half of the pictures */
    int samplewise_center;                  /* subtract the picture's mean over all channels */
    int samplewise_std;                     /* divide by its standard deviation + 1e-6 */
    int featurewise_center; /* subtract the training set's mean, channel by channel */
    int featurewise_std;    /* divide by its standard deviation + 1e-6 */
    meso_augment_compat compat;
    double mean[3], std[3]; /* R, G, B of the training set, of pixels / 255 */
} meso_augment_settings;

/* Reads "none", "mesonet" or "transfer", single settings as key=value, or both, separated by commas
 * and applied from left to right:  mesonet,rotation=10,zoom=0.1,compat=kp1.1.2
 *   none      nothing
 *   mesonet   the paper's: rotation=15,zoom=0.2,brightness=0.8:1.2,channel_shift=30,
 *             horizontal_flip=1
 *   transfer  the transfer-learning study's: rotation=120,width_shift=0.5,height_shift=0.5,
 *             shear=120,zoom=0.9,horizontal_flip=1,vertical_flip=1,featurewise_center=1,
 *             featurewise_std=1
 * Keys: rotation width_shift height_shift shear zoom channel_shift brightness horizontal_flip
 * vertical_flip samplewise_center samplewise_std featurewise_center featurewise_std mean std
 * compat. zoom and brightness take LOW:HIGH; zoom also Z for 1−Z:1+Z; mean and std take R:G:B.
 * Errors: ARGUMENT, naming the key, the value and what is allowed. */
MESO_API meso_status meso_augment_parse(const char *text, meso_augment_settings *settings,
                                        meso_error *error);

enum { MESO_AUGMENT_TEXT_SIZE = 768 };

/* The settings as text that meso_augment_parse reads back to the same bits: "none" or key=value
 * pairs. Returns out. */
MESO_API const char *meso_augment_format(const meso_augment_settings *settings,
                                         char out[MESO_AUGMENT_TEXT_SIZE]);

/* 1 if anything is drawn at random. */
MESO_API int meso_augment_is_random(const meso_augment_settings *settings);

/* The part that evaluation needs too: centring and scaling. Returns 0 if there is none. */
MESO_API int meso_augment_normalization(const meso_augment_settings *settings,
                                        meso_augment_settings *normalization);

#ifdef __cplusplus
}
#endif
#endif
