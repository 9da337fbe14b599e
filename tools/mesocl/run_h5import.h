/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs mesocl-h5import, the reader of Keras files, as a child process.
 */
#ifndef MESO_TOOLS_RUN_H5IMPORT_H
#define MESO_TOOLS_RUN_H5IMPORT_H

#include <stddef.h>

#include "mesocl/status.h"

/* The child's stream for the file at path (tools/h5import/h5import.h); *stream is the caller's, to
 * free(). The program is looked for at $MESO_H5IMPORT if set, else beside this program, else in
 * ../libexec/mesocl. Errors: NO_INPUT (the file cannot be opened), DATA (what the child says of it,
 * or it crashed or ran out of its limits over it), INTERNAL (the child is not to be found), IO,
 * MEMORY. */
meso_status tool_run_h5import(const char *path, void **stream, size_t *n, meso_error *error);

#endif
