/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters are programs of the kernel's packet filter (seccomp(2)), made from tables. No call here
 * allocates memory, so that all may stand between fork and exec.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int limit(int resource, size_t value)
{
    const struct rlimit row = {value, value};
    return setrlimit(resource, &row) == 0 ? 0 : errno;
}

int confine_resources(const confine_limits *limits)
{
    const struct {
        int resource, wanted;
        size_t value;
    } rows[] = {{RLIMIT_AS, limits->memory > 0, limits->memory},
                {RLIMIT_CPU, limits->cpu_seconds > 0, limits->cpu_seconds},
                {RLIMIT_NOFILE, limits->files > 0, limits->files},
                {RLIMIT_FSIZE, limits->no_output, 0},
                {RLIMIT_CORE, limits->no_output, 0}};
    int error = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && error == 0; i++)
        if (rows[i].wanted)
            error = limit(rows[i].resource, rows[i].value);
    return error;
}

#if defined __x86_64__ && !defined __ILP32__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef ARCHITECTURE

int confine_self(confine_profile profile)
{
    (void)profile;
    return 0;
}

#else

enum {
    allowed = SECCOMP_RET_ALLOW,
    refused = SECCOMP_RET_ERRNO | EPERM,
    unknown = SECCOMP_RET_ERRNO | ENOSYS, /* the C library then takes an older call */
    any = -1,
    foreign_calls = 0x40000000, /* from here on: those of other interfaces, such as x32 */
    most_steps = 512
};

static const unsigned deadly = SECCOMP_RET_KILL_PROCESS;

/* A call whose argument (its lower half; in `any` case all) has this value under the mask. */
typedef struct rule {
    int call, argument;
    unsigned mask, value, then;
} rule;

#define EACH_OF(calls) calls, sizeof calls / sizeof calls[0]

/* All that strace shows between the limits and the end, without what HDF5, stdio and libzip do well
 * without: they look for a file "memory", for the working directory, for the kind of stdout. */
static const int computing[] = {SYS_read,  SYS_brk,  SYS_munmap,    SYS_mremap,
                                SYS_futex, SYS_exit, SYS_exit_group};
static const rule computing_rules[] = {{SYS_write, 0, ~0u, 1, allowed},
                                       {SYS_write, 0, ~0u, 2, allowed},
                                       {SYS_mmap, 2, PROT_EXEC, 0, allowed}};

/* The same, of one thread and one file, which is descriptor 3. */
static const int decoding[] = {SYS_brk, SYS_munmap, SYS_mremap, SYS_futex, SYS_exit_group};
static const rule decoding_rules[] = {{SYS_pread64, 0, ~0u, 3, allowed},
                                      {SYS_write, 0, ~0u, 1, allowed},
                                      {SYS_write, 0, ~0u, 2, allowed},
                                      {SYS_mmap, 2, PROT_EXEC, 0, allowed}};

/* What decoders of pictures need. */
static const int answering[] = {SYS_munmap,  SYS_mremap,        SYS_brk,       SYS_futex,
                                SYS_madvise, SYS_clock_gettime, SYS_exit_group};
static const rule answering_rules[] = {{SYS_read, 0, ~0u, 3, allowed},
                                       {SYS_write, 0, ~0u, 3, allowed},
                                       {SYS_mmap, 2, PROT_EXEC, 0, allowed},
                                       {SYS_mprotect, 2, PROT_EXEC, 0, allowed}};

/* What changes files, or reaches out of the process. Newer processors do without the older half. */
/* clang-format off */
static const int outward[] = {
#ifdef SYS_open
    SYS_open, SYS_creat, SYS_unlink, SYS_rename, SYS_mkdir, SYS_rmdir, SYS_link, SYS_symlink,
    SYS_mknod, SYS_chmod, SYS_chown, SYS_lchown, SYS_fork, SYS_vfork,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_openat, SYS_open_by_handle_at, SYS_unlinkat, SYS_renameat2, SYS_mkdirat, SYS_linkat,
    SYS_symlinkat, SYS_mknodat, SYS_truncate, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat,
    SYS_utimensat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_mount, SYS_umount2, SYS_chroot,
    SYS_pivot_root, SYS_socket, SYS_socketpair, SYS_clone, SYS_execveat, SYS_unshare, SYS_setns,
    SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_bpf,
    SYS_perf_event_open, SYS_io_uring_setup, SYS_add_key, SYS_request_key, SYS_keyctl};
/* clang-format on */

enum { changes = O_ACCMODE | O_CREAT | O_TRUNC };

static size_t add(struct sock_filter *to, unsigned code, unsigned value, unsigned if_not)
{
    *to = (struct sock_filter){(uint16_t)code, 0, (uint8_t)if_not, value};
    return 1;
}

/* Steps that end with the rule's verdict, or go on behind them. */
static size_t add_rule(struct sock_filter *to, const rule *r)
{
    const unsigned with_argument = r->argument == any ? 0 : 3;
    size_t n = 0;
    n += add(to + n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0);
    n += add(to + n, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)r->call, with_argument + 1);
    if (with_argument) {
        n += add(to + n, BPF_LD | BPF_W | BPF_ABS,
                 (unsigned)offsetof(struct seccomp_data, args[r->argument]), 0);
        n += add(to + n, BPF_ALU | BPF_AND | BPF_K, r->mask, 0);
        n += add(to + n, BPF_JMP | BPF_JEQ | BPF_K, r->value, 1);
    }
    return n + add(to + n, BPF_RET | BPF_K, r->then, 0);
}

/* The first rule that holds counts, then the list of calls, then what is left. */
static int load(const rule *rules, size_t n_rules, const int *calls, size_t n_calls, unsigned then,
                unsigned otherwise)
{
    struct sock_filter steps[most_steps];
    size_t n = 0;
    n += add(steps + n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0);
    steps[n++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE};
    n += add(steps + n, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0);
    n += add(steps + n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0);
    n += add(steps + n, BPF_JMP | BPF_JGE | BPF_K, foreign_calls, 1);
    n += add(steps + n, BPF_RET | BPF_K, otherwise == deadly ? deadly : refused, 0);
    for (size_t i = 0; i < n_rules; i++)
        n += add_rule(steps + n, &rules[i]);
    for (size_t i = 0; i < n_calls; i++)
        n += add_rule(steps + n, &(rule){calls[i], any, 0, 0, then});
    n += add(steps + n, BPF_RET | BPF_K, otherwise, 0);
    const struct sock_fprog program = {(unsigned short)n, steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static int load_reading(void)
{
    const unsigned own = (unsigned)getpid();
    const rule rules[] = {
        {SYS_openat, 2, changes, O_RDONLY, allowed},
        {SYS_clone, 0, CLONE_THREAD, CLONE_THREAD, allowed},
        {SYS_kill, 0, ~0u, own, allowed},
        {SYS_tgkill, 0, ~0u, own, allowed},
        /* Their arguments lie in memory, where a filter does not look. */
        {SYS_clone3, any, 0, 0, unknown},
        {SYS_openat2, any, 0, 0, unknown},
#ifdef SYS_open
        {SYS_open, 1, changes, O_RDONLY, allowed},
#endif
    };
    return load(EACH_OF(rules), EACH_OF(outward), refused, allowed);
}

int confine_self(confine_profile profile)
{
    switch (profile) {
    case CONFINE_READS:
        return load_reading();
    case CONFINE_COMPUTES:
        return load(EACH_OF(computing_rules), EACH_OF(computing), allowed, refused);
    case CONFINE_DECODES:
        return load(EACH_OF(decoding_rules), EACH_OF(decoding), allowed, deadly);
    case CONFINE_ANSWERS:
        return load(EACH_OF(answering_rules), EACH_OF(answering), allowed, deadly);
    default:
        return 1;
    }
}

#endif
