/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that the build puts into the libraries (cmake/embed.cmake).
 */
#ifndef MESO_BASE_EMBEDDED_H
#define MESO_BASE_EMBEDDED_H

#include <stddef.h>

typedef struct meso_embedded {
    const char *name; /* file name without folder and ending; NULL ends an array */
    const char *text; /* with a NUL behind it */
    size_t length;
} meso_embedded;

extern const meso_embedded meso_embedded_kernels[];   /* cl/ */
extern const meso_embedded meso_embedded_nets[];      /* nets/ */
extern const meso_embedded meso_embedded_tunings[];   /* tune/ */
extern const meso_embedded meso_embedded_weights[];   /* weights/meso4.safetensors */
extern const meso_embedded meso_embedded_get_faces[]; /* tools/mesocl/get_faces.py */
extern const meso_embedded meso_embedded_page[];      /* of src/report: style and scripts of HTML */

#endif
