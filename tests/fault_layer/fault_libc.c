/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_libc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Libraries must see these functions, too, in place of those of the C library. */
#pragma GCC visibility push(default)

static fault_plan plan;
static atomic_size_t n_calls;
static atomic_int failed;
static atomic_long n_live;

void fault_begin(const fault_plan *wanted)
{
    n_calls = 0;
    failed = 0;
    n_live = 0;
    plan = *wanted;
}

fault_result fault_end(void)
{
    plan = (fault_plan){0};
    return (fault_result){n_calls, failed, n_live};
}

/* The program's own instructions lie between these two, which the linker defines. */
extern char __executable_start, etext;

static int is_own(const void *caller)
{
    return (uintptr_t)caller >= (uintptr_t)&__executable_start &&
           (uintptr_t)caller < (uintptr_t)&etext;
}

/* Counts a call; 1 if it is to fail. */
static int fails(int kind, const void *caller)
{
    if (!(plan.kinds & kind) || (plan.own_code && !is_own(caller)))
        return 0;
    size_t n = ++n_calls;
    if (plan.fail_at == 0 || (n != plan.fail_at && !(plan.lost && n > plan.fail_at)))
        return 0;
    failed = 1;
    return 1;
}

#define FAILS(kind) fails(kind, __builtin_return_address(0))

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    if ((flags & O_ACCMODE) != O_RDONLY && FAILS(FAULT_OPEN)) {
        errno = plan.error;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (FAILS(FAULT_WRITE)) {
        if (plan.short_write && n > 1) {
            plan.short_write = 0;
            plan.fail_at += plan.error != 0;
            return syscall(SYS_write, fd, bytes, n / 2);
        }
        if (plan.error) {
            errno = plan.error;
            return -1;
        }
    }
    return syscall(SYS_write, fd, bytes, n);
}

int fsync(int fd)
{
    if (FAILS(FAULT_FSYNC)) {
        errno = plan.error;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    if (FAILS(FAULT_RENAME)) {
        errno = plan.error;
        return -1;
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

#ifdef __SANITIZE_ADDRESS__
int fault_memory_works(void)
{
    return 0;
}
#else
/* glibc's allocator under its other names. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);
extern void __libc_free(void *block);

int fault_memory_works(void)
{
    return 1;
}

static void *counted(void *block)
{
    n_live += plan.kinds & FAULT_MEMORY && block;
    return block;
}

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t n)
{
    return FAILS(FAULT_MEMORY) ? no_memory() : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return FAILS(FAULT_MEMORY) ? no_memory() : counted(__libc_calloc(n, size));
}

void *realloc(void *block, size_t n)
{
    if (FAILS(FAULT_MEMORY))
        return no_memory();
    return block ? __libc_realloc(block, n) : counted(__libc_realloc(block, n));
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return FAILS(FAULT_MEMORY) ? no_memory() : counted(__libc_memalign(alignment, n));
}

void free(void *block)
{
    n_live -= plan.kinds & FAULT_MEMORY && block;
    __libc_free(block);
}
#endif
