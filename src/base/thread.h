/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose code a thread runs, for whoever has to say what crashed.
 */
#ifndef MESO_BASE_THREAD_H
#define MESO_BASE_THREAD_H

typedef enum meso_whose {
    MESO_OF_DRIVER, /* of every thread until something else is said: drivers start their own */
    MESO_OF_PROGRAM
} meso_whose;

extern _Thread_local volatile int meso_thread_runs; /* a meso_whose */

#endif
