/* SPDX-License-Identifier: Apache-2.0
 *
 * The other side of decoders.h: a process that starts decoders, and these.
 */
#ifndef MESO_TOOLS_DECODER_CHILD_H
#define MESO_TOOLS_DECODER_CHILD_H

#include <stddef.h>

#include "decoder_slot.h"

/* One decoder to be started: the slot that is its, and with it, as ancillary data, its socket. The
 * answer is its pid_t; 0: it cannot be started. */
typedef struct decoder_order {
    size_t slot;
} decoder_order;

/* Starts a decoder for each order that comes by the socket, until its other end is closed; then
 * waits for all of them and ends. slots: memory that is shared. */
_Noreturn void decoder_starter(int socket, void *slots, size_t n_slots);

#endif
