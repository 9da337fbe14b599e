/* SPDX-License-Identifier: Apache-2.0 */
#include "decoder_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "data/image/image.h"

/* Twice what the largest picture needs that is taken by default. */
static const size_t memory_limit = (size_t)2 << 30;

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
static const int is_confined = 0; /* sanitizers map terabytes and make calls of their own */
#else
static const int is_confined = 1;
#endif

/* ---- a decoder ---- */

/* Ends the process with the program's end of the socket. */
static void hear(void)
{
    char byte;
    ssize_t n;
    while ((n = read(DECODER_SOCKET, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n != 1)
        _exit(0);
}

static void say(void)
{
    if (write(DECODER_SOCKET, "", 1) != 1)
        _exit(0);
}

/* The file: where it lies, or, of several pieces, in memory of its own, also as *own. NULL: there
 * is no memory, and none of the pieces but the first was asked for. */
static const uint8_t *take_file(const decoder_slot *slot, size_t n, uint8_t **own)
{
    *own = NULL;
    if (n <= DECODER_PIECE)
        return slot->in;
    *own = malloc(n);
    for (size_t i = 0; i * DECODER_PIECE < n; i++) {
        if (i > 0) {
            say();
            hear();
        }
        if (*own)
            memcpy(*own + i * DECODER_PIECE, slot->in, decoder_piece(n, i));
    }
    return *own;
}

static void give_pixels(decoder_slot *slot, const uint8_t *rgb, size_t n)
{
    for (size_t i = 0; i * DECODER_PIECE < n; i++) {
        if (i > 0) {
            say();
            hear();
        }
        memcpy(slot->out, rgb + i * DECODER_PIECE, decoder_piece(n, i));
    }
    say();
}

static void decode(decoder_slot *slot)
{
    static meso_error error;
    const decoder_question *q = &slot->question;
    uint8_t *own;
    meso_refusal refusal = MESO_IMAGE_OK;
    meso_image image = MESO_INIT(meso_image);
    meso_image_options options = MESO_INIT(meso_image_options);
    options.width = q->width;
    options.height = q->height;
    options.max_pixels = q->max_pixels;
    options.exif_orient = q->exif_orient;
    if (q->width > 0 && (uint64_t)q->width * q->height * 3 <= DECODER_PIECE)
        options.into = slot->out;
    const size_t n = q->n;
    const uint8_t *bytes = take_file(slot, n, &own);
    meso_status status = MESO_ERROR_MEMORY;
    snprintf(error.text, sizeof error.text, "out of memory");
    if (bytes)
        status = meso_image_decode_here(bytes, n, q->name[0] ? q->name : NULL, &options, &image,
                                        &refusal, &error);
    free(own);
    slot->answer = (decoder_answer){.status = (int32_t)status,
                                    .refusal = (int32_t)refusal,
                                    .width = image.width,
                                    .height = image.height,
                                    .file_width = image.file_width,
                                    .file_height = image.file_height,
                                    .exif_orientation = image.exif_orientation,
                                    .suspect = image.suspect};
    if (status == MESO_OK)
        snprintf(slot->answer.format, sizeof slot->answer.format, "%s", image.format);
    else
        memcpy(slot->answer.text, error.text, sizeof error.text);
    if (image.rgb)
        give_pixels(slot, image.rgb, (size_t)image.width * image.height * 3);
    else
        say();
    free(image.rgb);
}

/* Not above a limit that is there already. */
static void limit_memory(void)
{
    struct rlimit now;
    const confine_limits limits = {.memory = memory_limit, .no_output = 1};
    const confine_limits rest = {.no_output = 1};
    const int is_lower = getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_max != RLIM_INFINITY &&
                         now.rlim_max < memory_limit;
    if (confine_resources(is_lower ? &rest : &limits) != 0)
        _exit(1);
}

/* Has its own slot alone, and no descriptor but its socket. */
static _Noreturn void work(int socket, void *slots, size_t n_slots, size_t own)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || dup2(socket, DECODER_SOCKET) < 0)
        _exit(1);
    for (int fd = 0; fd < DECODER_SOCKET; fd++)
        close(fd);
    close_range(DECODER_SOCKET + 1, ~0u, 0);
    if (own > 0)
        munmap(slots, own * decoder_stride());
    if (own + 1 < n_slots)
        munmap(decoder_slot_of(slots, own + 1), (n_slots - own - 1) * decoder_stride());
    if (is_confined) {
        limit_memory();
        confine_self(CONFINE_ANSWERS);
    }
    for (;;) {
        hear();
        decode(decoder_slot_of(slots, own));
    }
}

/* ---- the process that starts them ---- */

/* The socket that comes with an order; −1: there are no more orders. */
static int next_order(int socket, decoder_order *order)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {order, sizeof *order};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;
    int fd;
    while ((n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    const struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (n != (ssize_t)sizeof *order || !first || first->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(&fd, CMSG_DATA(first), sizeof fd);
    return fd;
}

/* Ctrl-C is the program's to answer. Its streams are left, so that their readers see its end. */
static void stand_back(int *socket)
{
    static const int asked[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        signal(asked[i], SIG_IGN);
    const int null = open("/dev/null", O_RDWR);
    *socket = fcntl(*socket, F_DUPFD, DECODER_SOCKET + 1);
    if (null < 0 || *socket < 0)
        _exit(1);
    for (int fd = 0; fd <= DECODER_SOCKET; fd++)
        dup2(null, fd);
    close_range((unsigned)*socket + 1, ~0u, 0);
    for (int fd = DECODER_SOCKET + 1; fd < *socket; fd++)
        close(fd);
}

void decoder_starter(int socket, void *slots, size_t n_slots)
{
    decoder_order order;
    int fd;
    stand_back(&socket);
    while ((fd = next_order(socket, &order)) >= 0) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        pid_t pid = order.slot < n_slots ? fork() : -1;
        if (pid == 0)
            work(fd, slots, n_slots, order.slot);
        close(fd);
        pid = pid < 0 ? 0 : pid;
        if (write(socket, &pid, sizeof pid) != sizeof pid)
            break;
    }
    while (wait(NULL) > 0)
        ;
    _exit(0);
}
