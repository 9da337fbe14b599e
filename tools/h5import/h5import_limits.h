/* SPDX-License-Identifier: Apache-2.0
 *
 * What a file that drives HDF5 astray may take along. The program that runs mesocl-h5import sets
 * these limits before it starts, and it sets them itself, should somebody else run it; once all of
 * it is loaded it gives up more.
 */
#ifndef MESO_H5IMPORT_LIMITS_H
#define MESO_H5IMPORT_LIMITS_H

#include "confine.h"

#ifdef __SANITIZE_ADDRESS__ /* which maps terabytes of addresses, and whose reports open files */
#define H5IMPORT_CONFINED(value) 0
#else
#define H5IMPORT_CONFINED(value) value
#endif

static const confine_limits h5import_limits = {
    .memory = H5IMPORT_CONFINED((size_t)512 << 20), .cpu_seconds = 10, .files = 16, .no_output = 1};
static const confine_profile h5import_start = H5IMPORT_CONFINED(CONFINE_READS);
static const confine_profile h5import_work = H5IMPORT_CONFINED(CONFINE_COMPUTES);

#endif
