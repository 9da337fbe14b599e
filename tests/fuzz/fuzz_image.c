/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a picture: sniffed, decoded, turned, resized.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "mesocl/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    meso_image_options options = MESO_INIT(meso_image_options);
    meso_image image = MESO_INIT(meso_image);
    meso_refusal refusal = MESO_IMAGE_OK;
    meso_error error = {0};
    options.max_pixels = 1 << 20; /* what is large is slow, and finds no more */
    options.width = options.height = n & 1 ? 64 : 0;
    options.exif_orient = n >> 1 & 1;
    meso_status status = meso_image_decode(bytes, n, "fuzz", &options, &image, &refusal, &error);
    if ((status == MESO_OK) != (refusal == MESO_IMAGE_OK) || (status == MESO_OK) != !!image.rgb)
        abort();
    meso_image_free(&image);
    return 0;
}
