/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/thread.h"
#include "common.h"
#include "runtime/device_list.h"

/* The sanitizers report crashes better, and end the process by exit(). */
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as GCC says it */
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED
enum { sanitized = 1 };
#else
enum { sanitized = 0 };
#endif

enum { internal_error = 70, stack_bytes = 1 << 16 };

static volatile sig_atomic_t inside; /* between catch and end */
static char driver[128];

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/* Only calls that are allowed in a signal handler. */
static void end(const char *how)
{
    const char *asked = meso_driver_asked;
    const int aborted = strcmp(how, "abort()") == 0;
    say(tool_program_name);
    if (meso_thread_runs == MESO_OF_PROGRAM) {
        say(": a bug of this program, not of the OpenCL driver, ended it by ");
        say(how);
        say("; please report it with the command and the files that it was given\n");
        _exit(internal_error);
    }
    say(": the OpenCL driver");
    say(driver);
    say(asked ? ", last asked to " : "");
    say(asked ? asked : "");
    say(", or a bug of this program, ended it by ");
    say(how);
    if (aborted && strstr(driver, "pocl"))
        say("; PoCL does where it finds no linker (ld, of binutils) in PATH");
    say("; mesocl devices and mesocl selftest try each driver in a process of its own\n");
    _exit(internal_error);
}

static void on_signal(int number)
{
    end(number == SIGABRT   ? "abort()"
        : number == SIGSEGV ? "a segmentation fault"
        : number == SIGBUS  ? "a bus error"
        : number == SIGILL  ? "an illegal instruction"
                            : "an arithmetic exception");
}

static void on_exit_call(void)
{
    if (inside && meso_thread_runs == MESO_OF_DRIVER)
        end("exit()");
}

#ifndef SANITIZED
/* In the C library's place, for drivers, too. LLVM, which is in most of them, sets handlers of its
 * own at some time between its loading and its first build. For faults they put ours back and let
 * the instruction fault again; abort() would come back to nobody. */
__attribute__((visibility("default"))) int sigaction(int number, const struct sigaction *action,
                                                     struct sigaction *old)
{
    typedef int function(int, const struct sigaction *, struct sigaction *);
    static function *of_libc;
    if (!of_libc)
        *(void **)&of_libc = dlsym(RTLD_NEXT, "sigaction");
    return of_libc(number, inside && number == SIGABRT ? NULL : action, old);
}
#endif

void tool_driver_crash_catch(const char *library)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    static char stack[stack_bytes]; /* for a driver that has used up its own */
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action;
    const struct rlimit none = {0, 0};
    if (sanitized || inside)
        return;
    snprintf(driver, sizeof driver, "%s%.100s", *library ? " " : "", MESO_PRINTABLE(library));
    setrlimit(RLIMIT_CORE, &none);
    sigaltstack(&other, NULL);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    inside = atexit(on_exit_call) == 0;
    meso_thread_runs = MESO_OF_PROGRAM;
}

void tool_driver_crash_end(void)
{
    inside = 0;
    meso_thread_runs = MESO_OF_DRIVER; /* which has more to do when it is unloaded */
}
