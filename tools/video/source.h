/* SPDX-License-Identifier: Apache-2.0
 *
 * The file as libavformat sees it: descriptor 3 and nothing else, of formats and codecs on a list;
 * one stream of pictures in it.
 */
#ifndef MESO_VIDEO_SOURCE_H
#define MESO_VIDEO_SOURCE_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

enum { SOURCE_FD = 3 };

typedef struct source {
    AVFormatContext *format;
    AVCodecContext *decoder; /* outlives source_reopen */
    AVStream *stream;        /* the one that is read; packets of others do not come */
    AVIOContext *io;
    int64_t position, size; /* io's own */
} source;

/* Refuses what cannot be used; size: of the file. */
void source_open(source *s, int64_t size);

/* From the start again. */
void source_reopen(source *s);

/* The next packet of the stream into the empty `packet`: 0, or what libavformat says. */
int source_read(source *s, AVPacket *packet);

/* 1: by the sizes in its head, or its index, the file is longer than it is. n_read: packets that
 * came. */
int source_is_cut(const source *s, size_t n_read);

/* Degrees clockwise; refuses what is no multiple of 90 or is mirrored. */
unsigned source_rotation(const source *s);

#endif
