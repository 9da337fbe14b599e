/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process gives up: resources, and system calls. A process confines itself, as
 * mesocl-h5import does, or is confined between fork and exec (process.h). Nothing else of MesoCL is
 * needed: mesocl-h5import, which links none of it, is built with this file, too.
 */
#ifndef MESO_TOOLS_CONFINE_H
#define MESO_TOOLS_CONFINE_H

#include <stddef.h>

typedef struct confine_limits { /* 0: as it is */
    size_t memory;              /* bytes of address space */
    size_t cpu_seconds;
    size_t files;  /* open at once */
    int no_output; /* 1: no file may grow: output goes to pipes alone; and no core file */
} confine_limits;

/* 0, or the errno of the limit that cannot be set. */
int confine_resources(const confine_limits *limits);

/* What calls are left; any other fails with EPERM, but for the last two. A filter holds for
 * ever, also for programs that the process becomes, and a second one can only take away more. */
typedef enum confine_profile {
    CONFINE_NOTHING,
    /* Files are opened to be read alone, folders stay as they are, there is no socket, no other
     * process is made, signalled or looked into. Programs run as usual: for any child. */
    CONFINE_READS,
    /* Compute, read what is open, write to stdout and stderr, and end. Nothing can be opened or
     * loaded: for a process that has all that it needs. */
    CONFINE_COMPUTES,
    /* The same on one thread, reading descriptor 3 alone, at any place; any other call ends the
     * process. */
    CONFINE_DECODES,
    /* Compute on memory that it has, hear and answer by descriptor 3; any other call ends it. */
    CONFINE_ANSWERS
} confine_profile;

/* 1: confined. 0: this processor's or this kernel's filters are not known. */
int confine_self(confine_profile profile);

#endif
