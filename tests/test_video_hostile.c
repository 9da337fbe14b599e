/* SPDX-License-Identifier: Apache-2.0
 *
 * Clips that are damaged or made to do harm: each ends with frames or a named reason, within
 * limits. And what a decoder that was led astray could send. A call that the filter forbids ends
 * the decoder by a signal, the reason `crashed`; so no row here opens a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "harness_clip.h"
#include "video/video_stream.h"

typedef struct blob {
    uint8_t *bytes;
    size_t n;
} blob;

static blob load(const char *name)
{
    void *bytes = NULL;
    blob b = {NULL, 0};
    assert_int_equal(
        meso_file_read(harness_clip_path(name), (size_t)64 << 20, &bytes, &b.n, NULL, NULL),
        MESO_OK);
    b.bytes = bytes;
    return b;
}

static void store(const char *name, const void *bytes, size_t n)
{
    assert_int_equal(meso_file_write(harness_clip_path(name), bytes, n, NULL), MESO_OK);
}

static size_t find(const blob *b, const char *what)
{
    const uint8_t *at = memmem(b->bytes, b->n, what, strlen(what));
    assert_non_null(at);
    return (size_t)(at - b->bytes);
}

static void put_big32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* In place of "the data lie in this file": an alias record, whose absolute path is /etc/passwd. */
static void make_external_data(void)
{
    static const char *const parents[] = {"moov", "trak", "mdia", "minf", "dinf", "dref"};
    enum { fixed = 142, more = 200, entry = 12 };
    blob b = load("base.mov");
    uint8_t alias[entry + more] = {0}, *out = malloc(b.n + more);
    const size_t at = find(&b, "dref") + 4 + 8; /* its first entry, "url " */
    static const char path[] = "/etc/passwd";
    assert_non_null(out);
    put_big32(alias, sizeof alias);
    memcpy(alias + 4, "alis", 4);
    alias[entry + fixed + 8 + 1] = 2; /* a path, of so many bytes */
    alias[entry + fixed + 8 + 3] = sizeof path - 1;
    memcpy(alias + entry + fixed + 8 + 4, path, sizeof path - 1);
    memset(alias + entry + fixed + 8 + 4 + sizeof path, 0xff, 8);
    for (size_t i = 0; i < sizeof parents / sizeof parents[0]; i++) {
        uint8_t *size = b.bytes + find(&b, parents[i]) - 4;
        put_big32(size, big32(size) + more);
    }
    memcpy(out, b.bytes, at);
    memcpy(out + at, alias, sizeof alias);
    memcpy(out + at + sizeof alias, b.bytes + at + entry, b.n - at - entry);
    store("dref.mp4", out, b.n + more);
    free(out);
    free(b.bytes);
}

static void make_claims(void)
{
    blob b = load("base.avi");
    memcpy(b.bytes + find(&b, "vids") + 32, "\x40\x42\x0f\0", 4); /* a million frames */
    store("million.avi", b.bytes, b.n);
    free(b.bytes);
    b = load("live.mkv");
    store("none.mkv", b.bytes, find(&b, "\x1f\x43\xb6\x75"));
    free(b.bytes);
    b = load("base.mov");
    b.bytes[find(&b, "tkhd") + 4 + 40] = 0x80; /* the matrix: shown mirrored */
    store("mirrored.mov", b.bytes, b.n);
    free(b.bytes);
}

static void make_texts(void)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"concat.mp4", "ffconcat version 1.0\nfile base.mov\nfile /etc/passwd\n"},
        {"hls.mp4", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nbase.mov\n"
                    "#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"},
        {"dash.mp4",
         "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
         "mediaPresentationDuration=\"PT2S\" "
         "profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\">"
         "<Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\"><BaseURL>base.mov"
         "</BaseURL></Representation></AdaptationSet></Period></MPD>\n"},
        {"svg.mp4", "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" "
                    "height=\"9\"><image href=\"/etc/passwd\"/></svg>\n"},
        {"text.mp4", "This is no clip, and there is nothing that could be taken for one in it.\n"},
        {"nothing.mp4", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        store(rows[i].name, rows[i].text, strlen(rows[i].text));
}

static void make_hostile(void)
{
    harness_clip_make("SOURCE 160x120 0.4 -c:v mpeg4 base.mov; SOURCE 160x120 0.4 -c:v mjpeg "
                      "base.avi; SOURCE 160x120 0.4 -c:v libx264 -f matroska - | cat >live.mkv");
    harness_clip_make("$FF -f lavfi -i color=size=12000x9000 -frames:v 1 -c:v mjpeg huge.avi; "
                      "$FF -f lavfi -i sine=duration=1 -c:a aac sound.mp4; $FF -i base.mov "
                      "-frames:v 1 picture.png; cp picture.png sequence.mp4");
    harness_clip_make("maps=; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
                      "maps=\"$maps -map 0:v\"; done; $FF -i base.mov $maps -c copy streams.mp4; "
                      "$FF -i sound.mp4 -i picture.png -map 0 -map 1 -c copy -disposition:v "
                      "attached_pic cover.mp4");
    make_texts();
    make_external_data();
    make_claims();
}

/* V5 */
static void hostile_clips_have_named_reasons(void **state)
{
    static const struct {
        const char *name, *reason, *said;
    } rows[] = {
        {"concat.mp4", "unsupported", "does not read"},
        {"hls.mp4", "unsupported unknown_format", "clip"}, /* the latter in FFmpeg 7 */
        {"dash.mp4", "unsupported", "does not read"},
        {"svg.mp4", "unknown_format", "no clip"},
        {"sequence.mp4", "unsupported", "does not read"},
        {"text.mp4", "unknown_format", "no clip"},
        {"nothing.mp4", "empty", "no bytes"},
        {"dref.mp4", "empty", "no frame"},
        {"huge.avi", "too_large", "12000 x 9000"},
        {"streams.mp4", "too_large", "16 streams"},
        {"million.avi", NULL, NULL},
        {"none.mkv", "truncated", "within its header"},
        {"sound.mp4", "no_video", "none of them video"},
        {"cover.mp4", "no_video", "none of them video"},
        {"mirrored.mov", "odd_rotation", "mirrored"},
        {"not_there.mp4", "vanished", "No such file"},
        {".", "not_regular", "not a regular file"},
    };
    (void)state;
    harness_clip_need();
    make_hostile();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_frames f = harness_clip_read(rows[i].name, "time", 30);
        const char *reason = rows[i].reason ? rows[i].reason : "";
        if ((f.status == MESO_OK) != !rows[i].reason || !strstr(reason, f.reason) ||
            (f.reason[0] == 0) != (reason[0] == 0) ||
            (rows[i].said && !strstr(f.error.text, rows[i].said)))
            fail_msg("%s: reason \"%s\", not \"%s\": %s", rows[i].name, f.reason, reason,
                     f.status == MESO_OK ? "read" : f.error.text);
        if (f.status == MESO_OK && (f.n != 10 || !f.info.truncated))
            fail_msg("%s: %zu frames", rows[i].name, f.n);
        harness_clip_forget(&f);
    }
}

/* ---- damage ---- */

static const char *const sources[] = {"h264.mp4", "vp9.mkv",    "asp.avi",  "hevc.mp4",
                                      "av1.mp4",  "a.gif",      "vp8.webm", "mjpeg.avi",
                                      "fast.mp4", "prores.mov", "b.ts",     "flv.flv"};
enum { n_sources = sizeof sources / sizeof sources[0] };

static void make_sources(void)
{
    harness_clip_make(
        "SOURCE 160x120 1 -c:v libx264 h264.mp4; SOURCE 160x120 1 -c:v libvpx-vp9 "
        "-deadline realtime vp9.mkv; SOURCE 160x120 1 -c:v mpeg4 -bf 2 asp.avi; "
        "SOURCE 160x120 1 -c:v libx265 -x265-params log-level=none:pools=none hevc.mp4; "
        "SOURCE 160x120 1 -c:v libaom-av1 -usage realtime -cpu-used 8 av1.mp4");
    harness_clip_make("SOURCE 160x120 1 a.gif; SOURCE 160x120 1 -c:v libvpx vp8.webm; SOURCE "
                      "160x120 1 -c:v mjpeg mjpeg.avi; $FF -i h264.mp4 -c copy -movflags faststart "
                      "fast.mp4; SOURCE 160x120 0.4 -c:v prores_ks prores.mov; $FF -i h264.mp4 -c "
                      "copy b.ts; SOURCE 160x120 1 -c:v flv flv.flv");
}

static size_t below(meso_random *random, size_t n)
{
    return n ? (size_t)(meso_random_u64(random) % n) : 0;
}

static void change(blob *b, size_t n, size_t from, size_t within, meso_random *random)
{
    for (size_t i = 0; i < n; i++)
        b->bytes[from + below(random, within)] = (uint8_t)meso_random_u64(random);
}

static void damage(blob *b, meso_random *random)
{
    static const size_t counts[] = {1, 5, 50, 500};
    const size_t head = b->n < 4096 ? b->n : 4096, at = below(random, b->n);
    const double kind = meso_random_unit(random);
    const uint8_t *index = memmem(b->bytes, b->n, "moov", 4);
    const size_t from = index ? (size_t)(index - b->bytes) : 0;
    if (kind < 0.35)
        change(b, counts[below(random, 4)], 0, b->n, random);
    else if (kind < 0.5)
        b->n = at;
    else if (kind < 0.7)
        for (int i = 0; i < 8; i++)
            b->bytes[below(random, head)] = (uint8_t)(255 * (meso_random_u64(random) & 1));
    else if (kind < 0.8)
        memset(b->bytes + at, 0, (b->n - at) / 4);
    else
        change(b, 20, from, b->n - from < 2500 ? b->n - from : 2500, random);
}

static double processor_seconds(const struct rusage *r)
{
    return (double)(r->ru_utime.tv_sec + r->ru_stime.tv_sec) +
           1e-6 * (double)(r->ru_utime.tv_usec + r->ru_stime.tv_usec);
}

/* In a process of its own, whose only children are decoders. Returns how many went wrong. */
static int read_damaged(size_t n)
{
    static const char *const samplings[] = {"time", "key", "every:1"};
    int n_bad = 0, n_read = 0;
    double most = 0, before = 0;
    struct rusage used = {0};
    for (size_t i = 0; i < n; i++) {
        meso_random random = meso_random_for(4, i, 0);
        blob b = load(sources[i % n_sources]);
        damage(&b, &random);
        store("damaged", b.bytes, b.n);
        free(b.bytes);
        harness_frames f = harness_clip_read("damaged", samplings[i / n_sources % 3], 10);
        getrusage(RUSAGE_CHILDREN, &used);
        const double seconds = processor_seconds(&used) - before;
        const int is_named = f.status == MESO_OK ||
                             (f.status == MESO_ERROR_DATA && strcmp(f.reason, "crashed") != 0 &&
                              strcmp(f.reason, "late") != 0);
        if (!is_named || !(seconds <= 2)) {
            print_message("%s, damage %zu: %.2f s, %s\n", sources[i % n_sources], i, seconds,
                          f.status == MESO_OK ? "read" : f.error.text);
            n_bad++;
        }
        n_read += f.status == MESO_OK;
        before += seconds;
        most = seconds > most ? seconds : most;
        harness_clip_forget(&f);
    }
    print_message("%zu damaged clips, %d gave frames, %d went wrong; at most %.2f s of processor "
                  "time and %ld MB\n",
                  n, n_read, n_bad, most, used.ru_maxrss >> 10);
    return n_bad + !(used.ru_maxrss <= 200 << 10);
}

/* V4 */
static void damaged_clips_end_within_limits(void **state)
{
    int status;
    (void)state;
    harness_clip_need();
    make_sources();
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(read_damaged(getenv("MESO_FULL") ? 3000 : 60) ? 1 : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* V15: what a clip of ten minutes takes, in a process whose only child is its decoder. */
static int read_long(void)
{
    struct rusage child, own;
    harness_frames f = harness_clip_read("long.mp4", "time", 30);
    getrusage(RUSAGE_CHILDREN, &child);
    getrusage(RUSAGE_SELF, &own);
    print_message("10 minutes: %zu of %u frames, decoder %ld MB, %.2f s; this process %ld MB\n",
                  f.n, f.info.n_packets, child.ru_maxrss >> 10, processor_seconds(&child),
                  own.ru_maxrss >> 10);
    return f.status == MESO_OK && f.n == 30 && f.info.n_packets == 15000 &&
           child.ru_maxrss <= 250 << 10 && own.ru_maxrss <= 300 << 10 &&
           processor_seconds(&child) <= 5;
}

static void a_long_clip_takes_no_more(void **state)
{
    int status;
    (void)state;
    harness_clip_need();
    harness_clip_make("SOURCE 1280x720 2 -c:v libx264 -preset ultrafast -crf 35 short.mp4; $FF "
                      "-stream_loop 299 -i short.mp4 -c copy long.mp4");
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(!read_long());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- what a decoder sends ---- */

enum { side = 4, frame_bytes = (int)sizeof(video_frame) + side * side * 3 };

typedef struct sent {
    video_info info;
    uint8_t frames[2][frame_bytes];
    video_tail tail;
} sent;

static void good(sent *s)
{
    *s = (sent){.info = {.magic = VIDEO_INFO_MAGIC,
                         .width = side,
                         .height = side,
                         .sar_num = 1,
                         .sar_den = 1,
                         .n_packets = 9,
                         .n_chosen = 2,
                         .container = "mov",
                         .codec = "h264",
                         .matrix = "bt601"},
                .tail = {VIDEO_TAIL_MAGIC, 2, 0, 2}};
    for (uint32_t i = 0; i < 2; i++) {
        const video_frame f = {VIDEO_FRAME_MAGIC, 3 * i, side, side, i, i};
        memcpy(s->frames[i], &f, sizeof f);
    }
}

/* Takes records until there is no more; the last one. n_frames: of those. */
static video_record take_all(video_stream *stream, const sent *s, size_t n, size_t *left)
{
    const uint8_t *bytes = (const uint8_t *)s;
    video_record record;
    size_t used;
    do {
        record = video_stream_next(stream, bytes, n, &used);
        bytes += used;
        n -= used;
    } while (record > VIDEO_BAD && record != VIDEO_TAIL);
    *left = n;
    return record;
}

static void only_whole_streams_end(void **state)
{
    sent s;
    size_t left;
    (void)state;
    good(&s);
    for (size_t n = 0; n <= sizeof s; n++) {
        video_stream stream = {.n_frames = 0};
        assert_int_equal(take_all(&stream, &s, n, &left), n == sizeof s ? VIDEO_TAIL : VIDEO_MORE);
    }
}

static void an_impossible_word_is_not_believed(void **state)
{
#define WORD(member, bytes)                                       \
    {                                                             \
#member, offsetof(sent, member), bytes, sizeof(bytes) - 1 \
    }
    static const struct {
        const char *name;
        size_t offset;
        const char *bytes;
        size_t n;
    } rows[] = {
        WORD(info.magic, "X"),
        WORD(info.width, "\0\0\0\0"),
        WORD(info.width, "\xff\xff\xff\xff"),
        WORD(info.height, "\0\0\xff\0"),
        WORD(info.rotation, "\x2d"),
        WORD(info.rotation, "\x68\x01"),
        WORD(info.sar_den, "\0"),
        WORD(info.hdr, "\2"),
        WORD(info.truncated, "\0\1"),
        WORD(info.n_chosen, "\0"),
        WORD(info.n_chosen, "\x0a"),
        WORD(info.first, "\0\0\0\0\0\0\xf0\x7f"),
        WORD(info.first, "\0\0\0\0\0\0\xf8\x7f"),
        WORD(info.codec, "\x1b[2J"),
        WORD(info.codec, "\0"),
        WORD(info.matrix, "aaaaaaaaaaaaaaaa"),
        WORD(frames[0], "MVI1"),
        WORD(frames[1][4], "\0"),               /* the number again */
        WORD(frames[1][4], "\x09"),             /* beyond the last */
        WORD(frames[0][8], "\0"),               /* width */
        WORD(frames[0][8], "\xff\xff\xff\x7f"), /* more than there can be */
        WORD(frames[0][24], "\0\0\0\0\0\0\xf8\xff"),
        WORD(tail.n_frames, "\3"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        video_stream stream = {.n_frames = 0};
        sent s;
        size_t left;
        good(&s);
        memcpy((uint8_t *)&s + rows[i].offset, rows[i].bytes, rows[i].n);
        if (take_all(&stream, &s, sizeof s, &left) != VIDEO_BAD || !stream.problem)
            fail_msg("row %zu, %s, was believed", i, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_streams_end),
        cmocka_unit_test(an_impossible_word_is_not_believed),
        cmocka_unit_test(hostile_clips_have_named_reasons),
        cmocka_unit_test(damaged_clips_end_within_limits),
        cmocka_unit_test(a_long_clip_takes_no_more),
    };
    return cmocka_run_group_tests(tests, harness_clip_set_up, harness_clip_tear_down);
}
