/* SPDX-License-Identifier: Apache-2.0 */
#include "thread.h"

_Thread_local volatile int meso_thread_runs = MESO_OF_DRIVER;
