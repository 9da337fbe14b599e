/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

/* SA_RESETHAND has put the default action back, so a second signal kills. */
static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void tool_interrupt_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int tool_interrupted(void)
{
    return interrupted;
}
