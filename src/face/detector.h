/* SPDX-License-Identifier: Apache-2.0
 *
 * The face detector MTCNN (Zhang et al. 2016): its three nets on a device, and boxes.h around them.
 */
#ifndef MESO_FACE_DETECTOR_H
#define MESO_FACE_DETECTOR_H

#include "face/boxes.h"
#include "mesocl/device.h"
#include "mesocl/status.h"

typedef struct face_detector face_detector;

/* The weights that `mesocl models --get faces` wrote. The device must outlive the detector. Errors:
 * NO_INPUT (they are not there; the sentence names the command), DATA, DEVICE, MEMORY. */
meso_status face_detector_open(meso_device *device, face_detector **detector, meso_error *error);
void face_detector_close(face_detector *detector); /* NULL is allowed */

/* The faces of n pictures of one size, appended, those of a picture together, the likeliest first.
 * P-Net is kept for the last size alone: frames of a clip share it, a photo of another size opens
 * it anew. Errors: DEVICE, MEMORY. */
meso_status face_detect(face_detector *detector, const face_picture *pictures, size_t n,
                        double min_face, face_list *faces, meso_error *error);

#endif
