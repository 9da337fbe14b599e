/* SPDX-License-Identifier: Apache-2.0 */
#include "decoders.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "data/image/decode.h"
#include "data/image/image.h"
#include "decoder_child.h"

enum { most_decoders = 64, tick_ms = 1000 };
/* Of one picture. Seconds on the clock are for a decoder that does nothing at all. */
static const double most_cpu_seconds = 10, most_seconds = 300;

typedef struct decoder {
    decoder_slot *slot;
    size_t number;
    int socket; /* −1: no process */
    pid_t pid;
} decoder;

static struct {
    pthread_mutex_t lock; /* guards all but a decoder that was taken */
    pthread_cond_t freed;
    decoder all[most_decoders];
    decoder *idle[most_decoders]; /* the last one is the next: its memory is warm */
    size_t n, n_idle;
    void *slots;
    int starter; /* its socket; −1: there is none */
    int fault;   /* the errno of why there is none */
    pid_t pid;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER, .starter = -1};

/* ---- a decoder's process ---- */

static void end_process(decoder *d)
{
    if (d->socket >= 0)
        close(d->socket);
    d->socket = -1;
}

/* Asks for one; 0, or an errno. Called with the lock held: orders and answers go by one socket. */
static int order_process(decoder *d, int theirs)
{
    decoder_order order = {d->number};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {&order, sizeof order};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof theirs);
    memcpy(CMSG_DATA(first), &theirs, sizeof theirs);
    ssize_t n = sendmsg(pool.starter, &message, MSG_NOSIGNAL);
    if (n != (ssize_t)sizeof order)
        return n < 0 ? errno : EPIPE;
    while ((n = read(pool.starter, &d->pid, sizeof d->pid)) < 0 && errno == EINTR)
        ;
    if (n != (ssize_t)sizeof d->pid)
        return n < 0 ? errno : EPIPE;
    return d->pid > 0 ? 0 : EAGAIN;
}

static meso_status start_process(decoder *d, meso_error *error)
{
    int ends[2], code = pool.fault;
    if (code == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        code = errno;
    else if (code == 0) {
        pthread_mutex_lock(&pool.lock);
        code = order_process(d, ends[1]);
        pthread_mutex_unlock(&pool.lock);
        close(ends[1]);
        d->socket = ends[0];
    }
    if (code == 0)
        return MESO_OK;
    end_process(d);
    return meso_fail(error, MESO_ERROR_INTERNAL,
                     "the process that decodes pictures cannot be started: %s", strerror(code));
}

/* ---- speaking with it ---- */

static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec used = {0};
    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

static int say(const decoder *d)
{
    return send(d->socket, "", 1, MSG_NOSIGNAL) == 1;
}

/* 0: it has ended, or is killed since it takes too long. */
static int hear(const decoder *d, double cpu_before)
{
    struct pollfd row = {d->socket, POLLIN, 0};
    char byte;
    for (int waited = 0;; waited++) {
        const int n = poll(&row, 1, tick_ms);
        if (n > 0)
            return recv(d->socket, &byte, 1, 0) == 1;
        if (n == 0 && (cpu_seconds(d->pid) - cpu_before > most_cpu_seconds ||
                       waited * (tick_ms / 1e3) > most_seconds)) {
            kill(d->pid, SIGKILL);
            return 0;
        }
    }
}

static int give_file(const decoder *d, const uint8_t *bytes, size_t n, double cpu)
{
    for (size_t i = 0; i == 0 || i * DECODER_PIECE < n; i++) {
        if (i > 0 && !hear(d, cpu))
            return 0;
        memcpy(d->slot->in, bytes + i * DECODER_PIECE, decoder_piece(n, i));
        if (!say(d))
            return 0;
    }
    return 1;
}

static int take_pixels(const decoder *d, uint8_t *rgb, size_t n, double cpu)
{
    for (size_t i = 0; i * DECODER_PIECE < n; i++) {
        if (i > 0 && (!say(d) || !hear(d, cpu)))
            return 0;
        memcpy(rgb + i * DECODER_PIECE, d->slot->out, decoder_piece(n, i));
    }
    return 1;
}

/* ---- what it says: it has looked at a hostile file ---- */

static int is_sentence(const char *text, size_t size)
{
    if (!memchr(text, '\0', size) || !text[0] || !meso_is_utf8(text))
        return 0;
    for (size_t i = 0; text[i]; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return 0;
    return 1;
}

static int is_side(uint32_t side)
{
    return side > 0 && side <= MESO_IMAGE_MAX_SIDE;
}

static int is_picture(const decoder_answer *a, const meso_image_options *options)
{
    const int is_resized = options->width > 0 && options->height > 0;
    if (a->refusal != MESO_IMAGE_OK || !is_side(a->width) || !is_side(a->height) ||
        !is_side(a->file_width) || !is_side(a->file_height) ||
        (uint64_t)a->file_width * a->file_height > options->max_pixels)
        return 0;
    if (is_resized ? a->width != options->width || a->height != options->height
                   : (uint64_t)a->width * a->height != (uint64_t)a->file_width * a->file_height)
        return 0;
    return a->exif_orientation >= 1 && a->exif_orientation <= 8 && (a->suspect & ~1) == 0 &&
           memchr(a->format, '\0', sizeof a->format) && meso_image_format(a->format);
}

static int is_possible(const decoder_answer *a, const meso_image_options *options)
{
    if (a->status == MESO_OK)
        return is_picture(a, options);
    if (!is_sentence(a->text, sizeof a->text))
        return 0;
    if (a->status == MESO_ERROR_MEMORY)
        return a->refusal == MESO_IMAGE_OK;
    return a->status == MESO_ERROR_DATA && a->refusal > MESO_IMAGE_OK &&
           a->refusal <= MESO_IMAGE_ODD_SIZE;
}

/* ---- one picture ---- */

static void ask(decoder_question *q, size_t n, const char *name, const meso_image_options *options)
{
    q->n = n;
    q->max_pixels = options->max_pixels;
    q->width = options->width;
    q->height = options->height;
    q->exif_orient = options->exif_orient;
    snprintf(q->name, sizeof q->name, "%s", name ? name : "");
}

typedef enum outcome { answered, ended, no_memory } outcome;

/* The pixels go to image->rgb or options->into; a: what else was said. */
static outcome exchange(const decoder *d, const void *bytes, size_t n, const char *name,
                        const meso_image_options *options, decoder_answer *a, uint8_t **rgb)
{
    const double cpu = cpu_seconds(d->pid);
    ask(&d->slot->question, n, name, options);
    if (!give_file(d, bytes, n, cpu) || !hear(d, cpu))
        return ended;
    memcpy(a, &d->slot->answer, sizeof *a); /* once: it could be changed meanwhile */
    if (!is_possible(a, options))
        return ended;
    if (a->status != MESO_OK)
        return answered;
    const size_t n_bytes = (size_t)a->width * a->height * 3;
    uint8_t *to = options->into ? options->into : (*rgb = malloc(n_bytes));
    if (!to)
        return no_memory;
    return take_pixels(d, to, n_bytes, cpu) ? answered : ended;
}

static meso_status say_answer(const decoder_answer *a, uint8_t *rgb, meso_image *image,
                              meso_refusal *refusal, meso_error *error)
{
    *refusal = (meso_refusal)a->refusal;
    if (a->status != MESO_OK)
        return meso_fail(error, (meso_status)a->status, "%s", a->text);
    *image = (meso_image){.struct_bytes = sizeof *image,
                          .rgb = rgb,
                          .width = a->width,
                          .height = a->height,
                          .file_width = a->file_width,
                          .file_height = a->file_height,
                          .format = meso_image_format(a->format),
                          .exif_orientation = a->exif_orientation,
                          .suspect = a->suspect};
    return MESO_OK;
}

static decoder *take_decoder(void)
{
    pthread_mutex_lock(&pool.lock);
    while (pool.n_idle == 0)
        pthread_cond_wait(&pool.freed, &pool.lock);
    decoder *d = pool.idle[--pool.n_idle];
    pthread_mutex_unlock(&pool.lock);
    return d;
}

static void give_back(decoder *d)
{
    pthread_mutex_lock(&pool.lock);
    pool.idle[pool.n_idle++] = d;
    pthread_cond_signal(&pool.freed);
    pthread_mutex_unlock(&pool.lock);
}

/* Has it ended while it was idle? That is no picture's fault. */
static int is_alive(const decoder *d)
{
    struct pollfd row = {d->socket, POLLIN, 0};
    return d->socket >= 0 && poll(&row, 1, 0) == 0;
}

static meso_status decode(const void *bytes, size_t n, const char *name,
                          const meso_image_options *options, meso_image *image,
                          meso_refusal *refusal, meso_error *error)
{
    decoder_answer a;
    uint8_t *rgb = NULL;
    decoder *d = take_decoder();
    *refusal = MESO_IMAGE_OK;
    meso_status status = MESO_OK;
    if (!is_alive(d)) {
        end_process(d);
        status = start_process(d, error);
    }
    const outcome how = status == MESO_OK ? exchange(d, bytes, n, name, options, &a, &rgb) : ended;
    if (how != answered)
        end_process(d);
    give_back(d);
    if (how == answered)
        return say_answer(&a, rgb, image, refusal, error);
    free(rgb);
    MESO_CHECK(status);
    MESO_DEMAND_MEMORY(how != no_memory, error);
    *refusal = MESO_IMAGE_CORRUPT;
    return meso_fail(error, MESO_ERROR_DATA, "%s: %s: it ended the process that decodes pictures",
                     MESO_PRINTABLE(name ? name : "image in memory"),
                     meso_refusal_name(MESO_IMAGE_CORRUPT));
}

/* ---- all of them ---- */

static int start_starter(void)
{
    int ends[2];
    const pid_t parent = getpid();
    const size_t bytes = pool.n * decoder_stride();
    pool.slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool.slots == MAP_FAILED ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    pool.pid = fork();
    if (pool.pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(1);
        decoder_starter(ends[1], pool.slots, pool.n);
    }
    const int code = errno;
    close(ends[1]);
    if (pool.pid < 0) {
        close(ends[0]);
        return code;
    }
    pool.starter = ends[0];
    return 0;
}

void decoders_start(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pool.n = processors < 1 ? 1 : processors > most_decoders ? most_decoders : (size_t)processors;
    pool.fault = start_starter();
    pool.n_idle = 0;
    for (size_t i = pool.n; i-- > 0;) {
        pool.all[i] = (decoder){
            .slot = pool.fault ? NULL : decoder_slot_of(pool.slots, i), .number = i, .socket = -1};
        pool.idle[pool.n_idle++] = &pool.all[i];
    }
    meso_image_decode_elsewhere(decode);
}

void decoders_stop(void)
{
    meso_image_decode_elsewhere(NULL);
    for (size_t i = 0; i < pool.n; i++)
        end_process(&pool.all[i]);
    if (pool.starter < 0)
        return;
    close(pool.starter);
    pool.starter = -1;
    waitpid(pool.pid, NULL, 0);
    munmap(pool.slots, pool.n * decoder_stride());
}
