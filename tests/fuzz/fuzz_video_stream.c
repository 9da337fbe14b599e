/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what mesocl-video sends, which has looked at a hostile file.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "video/video_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    video_stream stream = {.n_frames = 0};
    video_record record;
    volatile uint8_t sum = 0;
    size_t used;
    while ((record = video_stream_next(&stream, bytes, n, &used)) > VIDEO_BAD) {
        const size_t n_pixels = (size_t)stream.frame.width * stream.frame.height * 3;
        for (size_t i = 0; record == VIDEO_FRAME && i < n_pixels; i++)
            sum = (uint8_t)(sum + bytes[sizeof stream.frame + i]);
        if (used == 0 || used > n)
            abort();
        bytes += used;
        n -= used;
    }
    return 0;
}
