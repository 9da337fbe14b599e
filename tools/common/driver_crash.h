/* SPDX-License-Identifier: Apache-2.0
 *
 * A driver that runs inside this process may crash it, or call exit(). The program then ends with a
 * sentence and 70, without a core file, in place of a bare signal or the driver's own code. The
 * sentence names the driver, and what it was asked for last (meso_driver_asked).
 */
#ifndef MESO_TOOLS_DRIVER_CRASH_H
#define MESO_TOOLS_DRIVER_CRASH_H

/* From here on; call it before the first OpenCL call. library: the driver's; "": not known. */
void tool_driver_crash_catch(const char *library);

/* main() is about to return: an exit() from now on is the program's own. */
void tool_driver_crash_end(void);

#endif
