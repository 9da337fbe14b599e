/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures are decoded in processes of their own, confined to computing on what they are given: a
 * hostile file never meets the process that has files, devices and the network.
 *
 * The library's calls decode in the process that calls them, since a library should not make
 * processes; every program of MesoCL decodes here.
 */
#ifndef MESO_TOOLS_DECODERS_H
#define MESO_TOOLS_DECODERS_H

/* From now on meso_image_decode, and all that loads pictures, works by these processes, as many as
 * threads decode at once; they are made when they are needed. Before the first thread and before
 * OpenCL is loaded: a small process is left behind to make them from. A picture on which a decoder
 * ends, or takes 10 seconds of processor time, is refused as `corrupt`, and the next picture gets a
 * new one. */
void decoders_start(void);

/* Ends them all. Decoding is then done in this process again. */
void decoders_stop(void);

#endif
