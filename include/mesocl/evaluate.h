/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores for lists of image files: decoding threads run ahead of the device.
 */
#ifndef MESOCL_EVALUATE_H
#define MESOCL_EVALUATE_H

#include <stddef.h>

#include "mesocl/dataset.h"
#include "mesocl/image.h"
#include "mesocl/model.h"
#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One file's outcome. Pointers are valid during the callback only. */
typedef struct meso_file_score {
    size_t struct_bytes;
    size_t index; /* position in the list; callbacks come in list order */
    const char *path;
    meso_refusal refusal; /* MESO_IMAGE_OK: p holds the answer, else detail says why not */
    const char *detail;   /* a sentence without path and reason; "" where there is none */
    meso_probability p;
    int suspect;     /* decoded with warnings (see meso_image) */
    int exif_turned; /* the file asks to be turned (orientation other than 1) */
} meso_file_score;

/* Called on the caller's thread for each file in list order. Any value but 0 stops the run once the
 * files of the batch at hand have been reported too. */
typedef int (*meso_file_score_callback)(const meso_file_score *score, void *user);

/* How long the parts of a run took, in seconds. Start from MESO_INIT(meso_score_timing). */
typedef struct meso_score_timing {
    size_t struct_bytes;
    double first;   /* from the call to the first file's callback */
    double decode;  /* reading and decoding: the threads' times added up */
    double compute; /* that the caller's thread waited for the device */
    double total;   /* of the call */
} meso_score_timing;

/* Start from MESO_INIT(meso_score_options). */
typedef struct meso_score_options {
    size_t struct_bytes;
    size_t n_threads; /* decoding threads; 0: one for each processor */
    size_t batch;     /* files whose pictures share a slot of the stream; 0: as the stream likes */
    uint64_t max_pixels; /* as in meso_image_options */
    int exif_orient;
    meso_score_timing *timing; /* written, also after an error; NULL is allowed */
    const char *const *hashes; /* [n] the XXH3-128 that each file must have, 32 hex digits, or NULL;
                                  NULL: none */
} meso_score_options;

/* P(real) = 1 / (1 + e^−z) in float, as Keras and PyTorch give it: from logits of 17 on it is
 * exactly 1, and pictures tie. Figures can be compared with published ones only with the same ties:
 * they move MesoInception-4's AUC on its own validation set by 4e-5 to 3e-4. */
MESO_API double meso_probability_rounded(meso_probability p);

/* Decodes and scores n files. A file that cannot be used is reported to the callback with its
 * refusal and does not end the run. Errors: those of meso_predict_rgb8,
 * CANCELLED, DATA (a file has another hash). */
MESO_API meso_status meso_score_files(meso_model *model, const char *const *paths, size_t n,
                                      const meso_score_options *options,
                                      meso_file_score_callback callback, void *user,
                                      meso_error *error);

#ifdef __cplusplus
}
#endif
#endif
