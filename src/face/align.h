/* SPDX-License-Identifier: Apache-2.0
 *
 * From the five points of a face to the square that a net sees: what is cut out, and the pixels.
 */
#ifndef MESO_FACE_ALIGN_H
#define MESO_FACE_ALIGN_H

#include "face/boxes.h"

typedef enum face_rotate { FACE_ROTATE_AUTO, FACE_ROTATE_ALWAYS, FACE_ROTATE_NEVER } face_rotate;
#define FACE_ROTATES "auto|always|never" /* auto: eyes that lie more than 15° aslant */

#define FACE_MARGIN 1.3 /* what the published crops have */

typedef struct face_alignment {
    double margin;
    double pixel_aspect; /* width : height of a pixel; crops have square ones */
    face_rotate rotate;
} face_alignment;

/* What is cut out: (u, v) of it, from −½ to ½, is in the picture at x = x[0] + x[1]·u + x[2]·v,
 * and y alike. Centres of pixels are whole numbers there. */
typedef struct face_square_map {
    double x[3], y[3];
    double side;  /* in rows of the picture */
    double angle; /* of the eyes, in degrees clockwise, whether it is turned back or not */
} face_square_map;

/* 0: no crop, for the square is smaller than 24 rows (small_face), or a number is none or lies
 * further out than any picture reaches. */
int face_align(const float points[5][2], const face_alignment *how, face_square_map *map);

/* out[size][size][3]: the mean of k × k bilinear samples a pixel, k = ⌈side / size⌉, at most 64.
 * The picture is mirrored at its border pixels. */
void face_crop(const face_picture *picture, const face_square_map *map, int size, uint8_t *out);

#endif
