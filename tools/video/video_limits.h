/* SPDX-License-Identifier: Apache-2.0
 *
 * What a clip that drives FFmpeg's libraries astray may take along: as h5import_limits.h.
 */
#ifndef MESO_VIDEO_LIMITS_H
#define MESO_VIDEO_LIMITS_H

#include <stdint.h>

#include "confine.h"

#ifdef __SANITIZE_ADDRESS__
#define VIDEO_CONFINED(value) 0
#else
#define VIDEO_CONFINED(value) value
#endif

/* For a file of so many bytes. at_work: everything is loaded, and the file is descriptor 3. */
static inline confine_limits video_limits(int64_t size, int at_work)
{
    return (confine_limits){.memory = VIDEO_CONFINED((size_t)1 << 30),
                            .cpu_seconds = 60 + (size_t)size / 10000000,
                            .files = at_work ? 4 : 16,
                            .no_output = 1};
}

static const confine_profile video_start = VIDEO_CONFINED(CONFINE_READS);
static const confine_profile video_work = VIDEO_CONFINED(CONFINE_DECODES);

#endif
