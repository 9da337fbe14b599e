/* SPDX-License-Identifier: Apache-2.0
 *
 * Ctrl-C.
 */
#ifndef MESO_TOOLS_INTERRUPT_H
#define MESO_TOOLS_INTERRUPT_H

/* From now on the first Ctrl-C (SIGINT) or SIGTERM only makes tool_interrupted() true; the second
 * ends the program at once. */
void tool_interrupt_catch(void);
int tool_interrupted(void);

#endif
