/* SPDX-License-Identifier: Apache-2.0
 *
 * One file → what is known of it without a device. Runs on decoding threads.
 */
#ifndef MESO_STUDY_SCAN_FILE_H
#define MESO_STUDY_SCAN_FILE_H

#include "study/scan/spectrum.h"
#include "study/scan/study_scan.h"

study_stamp study_file_stamp(const char *path);

/* Reads, hashes and decodes path. out is filled but for the statistics of the device, which are
 * NaN; image: the pixels, the caller's to free. spectrum: NULL: only what the study's statistics
 * need (no fingerprints, no spectrum). A file that cannot be used is MESO_OK with a refusal.
 * Errors: MEMORY. */
meso_status study_scan_file(const char *path, const meso_image_options *options,
                            const study_spectrum_plan *spectrum, study_image *out,
                            meso_image *image, meso_error *error);

#endif
