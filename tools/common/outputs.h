/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a command writes, and over what. The rows of its option table say what an option names; the
 * parser has it checked before any work:
 *
 *   names         where there is something already
 *   REPORT        it is replaced. "-" is standard output; words for people then go to stderr
 *   MODEL         refused, unless the file is empty; --force replaces a model file. It ends in
 *                 .safetensors
 *   RESULT        refused, unless the folder is empty; --force: result_folder.h
 *
 * An output that is an input, or another output, is refused by whatever name it goes, and so is one
 * that cannot be written.
 */
#ifndef MESO_TOOLS_OUTPUTS_H
#define MESO_TOOLS_OUTPUTS_H

#include "mesocl/dataset.h"
#include "options.h"
#include "result_folder.h"

#define OPT_FORCE                    \
    OPT_FLAG("force", 0, tool_force, \
             "replace what is there, if it is of the same kind; default: refuse")

/* Operands are inputs. Errors: ARGUMENT (standard output), CREATE. */
meso_status tool_outputs_check(const tool_command_line *line, char *const *operands, size_t n,
                               meso_error *error);

/* Is none of the files that a folder or a manifest names an output? Errors: CREATE. */
meso_status tool_outputs_spare(const meso_dataset *files, meso_error *error);

/* Is an output, which need not be there yet, in a folder or below? */
int tool_output_within(const char *path, const char *folder);

#endif
