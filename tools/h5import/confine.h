/* SPDX-License-Identifier: Apache-2.0
 *
 * From here on the process can compute, read what is open, write to its standard output and error,
 * and end. Any other system call, to open a file above all, fails with EPERM.
 */
#ifndef MESO_H5IMPORT_CONFINE_H
#define MESO_H5IMPORT_CONFINE_H

/* 1: confined. 0: this build or this kernel has no seccomp filters. −1: out of memory. */
int confine_self(void);

#endif
