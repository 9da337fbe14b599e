/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of clips: their pixels against ffmpeg's accurate mode, their times against ffprobe's,
 * chosen ones against those of a whole decode. ffmpeg's command line makes the clips.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "harness_clip.h"
#include "video/choose.h"

static void must_read(const harness_frames *f, const char *name)
{
    if (f->status != MESO_OK)
        fail_msg("%s: %s", name, f->error.text);
}

/* Every byte of every frame is ffmpeg's. */
static void compare_pixels(const char *name, unsigned stream, const char *more)
{
    char command[512];
    size_t n, at = 0;
    snprintf(command, sizeof command,
             "$FF %s -noautorotate -i %s -map 0:v:%u -vsync passthrough -sws_flags "
             "bilinear+accurate_rnd+full_chroma_int+bitexact -pix_fmt rgb24 -f rawvideo -",
             more, name, stream);
    char *expected = harness_clip_output(command, &n);
    harness_frames f = harness_clip_read(name, "every:1", 1);
    must_read(&f, name);
    for (size_t i = 0; i < f.n; i++) {
        const size_t bytes = (size_t)f.frames[i].width * f.frames[i].height * 3;
        if (at + bytes > n || memcmp(expected + at, f.frames[i].rgb, bytes) != 0)
            fail_msg("%s: frame %zu of %zu differs from ffmpeg's (%s)", name, i, f.n, more);
        at += bytes;
    }
    if (at != n || n == 0)
        fail_msg("%s: %zu bytes of pixels, ffmpeg has %zu", name, at, n);
    harness_clip_forget(&f);
    free(expected);
}

/* V1. Without vector instructions ffmpeg gives the same bytes. */
static void pixels_are_those_of_ffmpeg(void **state)
{
    static const struct {
        const char *name, *codec;
    } rows[] = {
        {"h264.mp4", "-c:v libx264 -preset veryfast"},
        {"full.mp4", "-c:v libx264 -preset veryfast -color_range pc -colorspace bt709"},
        {"ten.mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none "
                    "-pix_fmt yuv420p10le"},
        {"hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none"},
        {"vp8.webm", "-c:v libvpx -deadline realtime"},
        {"vp9.mkv", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"},
        {"av1.mp4", "-c:v libaom-av1 -usage realtime -cpu-used 8"},
        {"asp.avi", "-c:v mpeg4"},
        {"mjpeg.avi", "-c:v mjpeg"},
        {"prores.mov", "-c:v prores_ks"},
        {"mpeg2.ts", "-c:v mpeg2video -bf 2 -flags +ildct+ilme"},
        {"flv.flv", "-c:v flv"},
        {"pal.mp4", "-c:v libx264 -preset veryfast -vf setsar=16/15 -pix_fmt yuv422p"},
    };
    char command[512];
    (void)state;
    harness_clip_need();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(command, sizeof command, "SOURCE 160x120 0.8 %s %s", rows[i].codec, rows[i].name);
        harness_clip_make(command);
        compare_pixels(rows[i].name, 0, "");
        compare_pixels(rows[i].name, 0, "-cpuflags 0");
    }
}

static void what_the_file_says_is_told(void **state)
{
    (void)state;
    harness_clip_need();
    harness_clip_make(
        "SOURCE 160x120 0.4 -c:v libx264 -vf setsar=16/15,format=yuv420p,setparams="
        "range=pc:colorspace=bt709:color_trc=smpte2084 said.mp4; "
        "$FF -display_rotation 90 -i said.mp4 -c copy turned.mp4 2>/dev/null || " /* FFmpeg 6 on */
        "$FF -i said.mp4 -c copy -metadata:s:v rotate=90 turned.mp4; "
        "SOURCE 160x120 0.4 -c:v mpeg2video -flags +ildct+ilme -top 1 lines.ts");
    harness_frames f = harness_clip_read("said.mp4", "time", 2);
    must_read(&f, "said.mp4");
    assert_int_equal(f.info.width, 160);
    assert_int_equal(f.info.height, 120);
    assert_int_equal(f.info.sar_num * 15, f.info.sar_den * 16);
    assert_int_equal(f.info.full_range, 1);
    assert_int_equal(f.info.hdr, 1);
    assert_int_equal(f.info.interlaced, 0);
    assert_int_equal(f.info.rotation, 0);
    assert_int_equal(f.info.n_packets, 10);
    assert_int_equal(f.info.n_chosen, 2);
    assert_string_equal(f.info.matrix, "bt709");
    assert_string_equal(f.info.codec, "h264");
    assert_true(f.info.first == 0 && f.info.last > 0.35 && f.info.last < 0.37);
    harness_frames turned = harness_clip_read("turned.mp4", "time", 2);
    must_read(&turned, "turned.mp4");
    assert_int_equal(turned.info.width, 120);
    assert_int_equal(turned.info.height, 160);
    assert_int_equal(turned.info.sar_num * 16, turned.info.sar_den * 15);
    assert_int_equal(turned.info.rotation, 270); /* ffmpeg's own word is counter-clockwise */
    for (unsigned y = 0; y < 160; y++)           /* 90 degrees against the clock */
        for (unsigned x = 0; x < 120; x++)
            assert_memory_equal(turned.frames[0].rgb + 3 * (y * 120 + x),
                                f.frames[0].rgb + 3 * (x * 160 + 159 - y), 3);
    harness_clip_forget(&f);
    harness_clip_forget(&turned);
    f = harness_clip_read("lines.ts", "time", 1);
    must_read(&f, "lines.ts");
    assert_int_equal(f.info.interlaced, 1);
    assert_int_equal(f.info.full_range, 0);
    assert_string_equal(f.info.matrix, "bt601");
    harness_clip_forget(&f);
}

/* V2: frame and time of each are ffprobe's. b.avi's last one has no time, and follows the one
 * before. */
static void compare_times(const char *name, unsigned stream)
{
    char command[512], line[32];
    size_t n;
    meso_text mine = {0};
    snprintf(command, sizeof command,
             "ffprobe -v quiet -select_streams v:%u -show_entries frame=best_effort_timestamp -of "
             "csv=p=0 %s | tr -d ',' | sed '/^$/d; s|^N/A$|50|'",
             stream, name);
    char *expected = harness_clip_output(command, &n);
    harness_frames f = harness_clip_read(name, "every:1", 1);
    must_read(&f, name);
    for (size_t i = 0; i < f.n; i++) {
        snprintf(line, sizeof line, "%lld\n", (long long)f.frames[i].pts);
        meso_text_add(&mine, line);
    }
    if (!mine.bytes || strcmp(mine.bytes, expected) != 0)
        fail_msg("%s: times\n%sffprobe's\n%s", name, mine.bytes, expected);
    meso_text_free(&mine);
    harness_clip_forget(&f);
    free(expected);
}

static void times_are_those_of_ffprobe(void **state)
{
    static const struct {
        const char *name, *command;
        unsigned stream, n_packets, truncated;
    } rows[] = {
        {"cfr.mp4", "SOURCE 160x120 2 -c:v libx264 -preset veryfast cfr.mp4", 0, 50, 0},
        {"open.mp4",
         "SOURCE 160x120 2 -c:v libx264 -x264-params open-gop=1:keyint=12:bframes=3 open.mp4", 0,
         50, 0},
        {"vfr.mp4",
         "SOURCE 160x120 2 -c:v libx264 -preset veryfast -vf 'select=not(mod(n\\,3))+gt(n\\,30)' "
         "-vsync vfr vfr.mp4",
         0, 30, 0},
        /* 13 of its 50 packets are only there for others. */
        {"edit.mp4", "$FF -ss 0.5 -i open.mp4 -c copy edit.mp4", 0, 37, 0},
        {"half.mp4",
         "$FF -i cfr.mp4 -c copy -movflags faststart f.mp4; head -c $(($(stat -c %s f.mp4) / 2)) "
         "f.mp4 >half.mp4",
         0, 0, 1},
        {"half.mkv",
         "$FF -i cfr.mp4 -c copy f.mkv; head -c $(($(stat -c %s f.mkv) / 2)) f.mkv "
         ">half.mkv",
         0, 0, 1},
        {"half.avi",
         "SOURCE 160x120 2 -c:v mpeg4 f.avi; head -c $(($(stat -c %s f.avi) / 2)) f.avi >half.avi",
         0, 0, 1},
        {"two.mp4",
         "$FF -i cfr.mp4 -f lavfi -i testsrc=size=320x240:rate=10:duration=2 -map 0:v -map 1:v "
         "-c:v:1 libx264 -c:v:0 copy two.mp4",
         1, 20, 0},
        {"b.avi", "SOURCE 160x120 2 -c:v mpeg4 -bf 2 b.avi", 0, 50, 0},
        {"vp8.webm", "SOURCE 160x120 2 -c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 vp8.webm", 0,
         50, 0},
        {"b.ts", "SOURCE 160x120 2 -c:v libx264 -preset veryfast b.ts", 0, 50, 0},
        {"a.gif", "SOURCE 160x120 2 a.gif", 0, 50, 0},
    };
    (void)state;
    harness_clip_need();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_clip_make(rows[i].command);
        compare_times(rows[i].name, rows[i].stream);
        harness_frames f = harness_clip_read(rows[i].name, "time", 3);
        must_read(&f, rows[i].name);
        if (f.info.truncated != rows[i].truncated ||
            (rows[i].n_packets && f.info.n_packets != rows[i].n_packets))
            fail_msg("%s: %u packets, truncated %u", rows[i].name, f.info.n_packets,
                     f.info.truncated);
        harness_clip_forget(&f);
    }
}

/* The chosen frames of a sampling are those of a whole decode, to the bit. Returns how many frames
 * were decoded for them. */
static unsigned compare_chosen(const char *name, const harness_frames *all, const char *sampling,
                               unsigned n)
{
    size_t at = 0;
    harness_frames f = harness_clip_read(name, sampling, n);
    must_read(&f, name);
    if (f.n != f.info.n_chosen || f.n == 0)
        fail_msg("%s: %zu of %u frames by %s came", name, f.n, f.info.n_chosen, sampling);
    for (size_t i = 0; i < f.n; i++) {
        const clip_frame *frame = &f.frames[i];
        while (at < all->n && all->frames[at].number != frame->number)
            at++;
        if (at == all->n || all->frames[at].pts != frame->pts ||
            memcmp(all->frames[at].rgb, frame->rgb, (size_t)frame->width * frame->height * 3) != 0)
            fail_msg("%s: frame %u by %s is not that of a whole decode", name, frame->number,
                     sampling);
    }
    const unsigned n_decoded = f.tail.n_decoded;
    harness_clip_forget(&f);
    return n_decoded;
}

/* V3. most: of frames that are decoded for 30, 10 and the key frames, in percent of all. */
static void sought_frames_are_those_of_a_whole_decode(void **state)
{
    static const struct {
        const char *name, *codec;
        unsigned most[3];
    } rows[] = {
        {"l.mp4", "-c:v libx264 -preset veryfast -g 50", {90, 50, 5}},
        {"open.mp4",
         "-c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=40",
         {90, 50, 5}},
        {"hevc.mp4",
         "-c:v libx265 -preset ultrafast -g 40 -x265-params log-level=none:pools=none",
         {90, 50, 5}},
        {"asp.avi", "-c:v mpeg4 -g 25", {100, 80, 5}},
        {"vp8.webm", "-c:v libvpx -deadline realtime -g 50", {100, 80, 5}},
        {"vp9.mkv", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50", {100, 80, 5}},
        {"l.ts", "-c:v libx264 -preset veryfast -g 50", {90, 50, 5}},
        {"l.flv", "-c:v flv -g 50", {100, 100, 5}},
        {"mjpeg.mov", "-c:v mjpeg", {31, 11, 31}},
    };
    static const struct {
        const char *sampling;
        unsigned n;
    } samplings[] = {{"time", 30}, {"time", 10}, {"key", 30}, {"number", 30}, {"every:7", 1}};
    const int seconds = getenv("MESO_FULL") ? 20 : 8;
    char command[512];
    (void)state;
    harness_clip_need();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].name;
        snprintf(command, sizeof command, "SOURCE 320x240 %d %s %s", seconds, rows[i].codec, name);
        harness_clip_make(command);
        harness_frames all = harness_clip_read(name, "every:1", 1);
        must_read(&all, name);
        assert_int_equal(all.n, 25 * seconds);
        for (size_t k = 0; k < sizeof samplings / sizeof samplings[0]; k++) {
            unsigned n = compare_chosen(name, &all, samplings[k].sampling, samplings[k].n);
            if (k < 3 && n * 100 > rows[i].most[k] * all.n)
                fail_msg("%s: %u of %zu frames were decoded by %s", name, n, all.n,
                         samplings[k].sampling);
        }
        harness_clip_forget(&all);
    }
}

static void moments_lie_at_even_distances(void **state)
{
    enum { n = 10 };
    video_packet packets[n];
    uint32_t shown[n], chosen[n];
    static const struct {
        video_rule rule;
        uint32_t n, count, expected[n];
    } rows[] = {
        {VIDEO_BY_TIME, 1, 1, {5}},
        {VIDEO_BY_TIME, 5, 5, {1, 3, 5, 7, 9}},
        {VIDEO_BY_TIME, 10, 10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
        {VIDEO_BY_TIME, 25, 10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
        {VIDEO_BY_NUMBER, 3, 3, {0, 4, 8}},
        {VIDEO_BY_NUMBER, 30, 10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
        {VIDEO_EVERY, 6, 2, {0, 6}},
        {VIDEO_KEYS, 30, 3, {0, 4, 8}},
        {VIDEO_KEYS, 2, 2, {0, 8}},
    };
    (void)state;
    for (uint32_t i = 0; i < n; i++) {
        packets[i] = (video_packet){INT64_MAX - 1000 + 100 * i, 0, i % 4 == 0, 1, 0};
        shown[i] = i;
    }
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const video_sampling sampling = {rows[r].rule, rows[r].n};
        assert_int_equal(video_choose(packets, shown, n, sampling, chosen), rows[r].count);
        assert_memory_equal(chosen, rows[r].expected, rows[r].count * sizeof *chosen);
    }
    packets[9].pts = INT64_MIN; /* hostile, but sorted: one step as long as all time */
    shown[0] = 9;
    for (uint32_t i = 1; i < n; i++)
        shown[i] = i - 1;
    assert_int_equal(video_choose(packets, shown, n, (video_sampling){VIDEO_BY_TIME, 20}, chosen),
                     2);
    assert_int_equal(video_choose(packets, shown, 0, (video_sampling){VIDEO_BY_TIME, 4}, chosen),
                     0);
}

static void samplings_have_names(void **state)
{
    video_sampling s;
    (void)state;
    assert_true(video_sampling_parse("time", 30, &s) && s.rule == VIDEO_BY_TIME && s.n == 30);
    assert_true(video_sampling_parse("number", 1, &s) && s.rule == VIDEO_BY_NUMBER);
    assert_true(video_sampling_parse("key", 1, &s) && s.rule == VIDEO_KEYS);
    assert_true(video_sampling_parse("every:12", 0, &s) && s.rule == VIDEO_EVERY && s.n == 12);
    assert_false(video_sampling_parse("time", 0, &s));
    assert_false(video_sampling_parse("every:0", 1, &s));
    assert_false(video_sampling_parse("every:", 1, &s));
    assert_false(video_sampling_parse("every:-1", 1, &s));
    assert_false(video_sampling_parse("every:4294967296", 1, &s));
    assert_false(video_sampling_parse("random", 1, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_lie_at_even_distances),
        cmocka_unit_test(samplings_have_names),
        cmocka_unit_test(pixels_are_those_of_ffmpeg),
        cmocka_unit_test(what_the_file_says_is_told),
        cmocka_unit_test(times_are_those_of_ffprobe),
        cmocka_unit_test(sought_frames_are_those_of_a_whole_decode),
    };
    return cmocka_run_group_tests(tests, harness_clip_set_up, harness_clip_tear_down);
}
