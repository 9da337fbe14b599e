/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common.h"

/* The sanitizers report crashes better, and end the process by exit(). */
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as GCC says it */
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { sanitized = 1 };
#else
enum { sanitized = 0 };
#endif

enum { internal_error = 70 };

static volatile sig_atomic_t inside; /* between catch and end */

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/* Only calls that are allowed in a signal handler. */
static void end(const char *how)
{
    say(tool_program_name);
    say(": the OpenCL driver, or a bug of this program, ended it by ");
    say(how);
    say("; mesocl devices and mesocl selftest try each driver in a process of its own\n");
    _exit(internal_error);
}

static void on_signal(int number)
{
    end(number == SIGABRT   ? "abort()"
        : number == SIGSEGV ? "a segmentation fault"
                            : "a fatal signal");
}

static void on_exit_call(void)
{
    if (inside)
        end("exit()");
}

void tool_driver_crash_catch(void)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    struct sigaction action;
    const struct rlimit none = {0, 0};
    if (sanitized || inside)
        return;
    setrlimit(RLIMIT_CORE, &none); /* LLVM puts its own handlers in the place of these */
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    inside = atexit(on_exit_call) == 0;
}

void tool_driver_crash_end(void)
{
    inside = 0;
}
