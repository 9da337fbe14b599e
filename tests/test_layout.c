/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets laid out as they are published, on trees that the test builds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "data/list/group.h"
#include "data/list/passed.h"
#include "harness_run.h"

static void put_all(const char *const *paths)
{
    for (; *paths; paths++)
        harness_put(*paths, "", 0);
}
#define PUT(...) put_all((const char *const[]){__VA_ARGS__, NULL})

/* Each image as "label path: identities", each group's name once for every image, and what was
 * passed over. */
static void expect(const char *root, meso_layout asked, meso_layout found, const char *items,
                   const char *joined, const char *passed)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_groups groups;
    meso_error error = {0};
    meso_text text = {0}, names = {0}, said = {0};
    options.layout = asked;
    if (meso_dataset_open(root, &options, &dataset, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal(dataset.layout, found);
    assert_int_equal(meso_groups_create(&dataset, 0, &groups, NULL), MESO_OK);
    for (size_t i = 0; i < dataset.n_items; i++) {
        const meso_dataset_item *item = &dataset.items[i];
        meso_text_format(&text, "%s%s: %s\n", item->label == MESO_FAKE ? "fake " : "real ",
                         item->path, item->group);
        meso_text_format(&names, "%s%s", i ? " " : "", groups.groups[groups.of_item[i]].name);
    }
    meso_passed_say(&dataset, &said);
    assert_string_equal(text.bytes, items);
    assert_string_equal(names.bytes, joined);
    assert_string_equal(said.bytes ? said.bytes : "", passed);
    meso_text_free(&text);
    meso_text_free(&names);
    meso_text_free(&said);
    meso_groups_free(&groups);
    meso_dataset_close(&dataset);
}

static void refuse(const char *root, meso_layout layout, const char *sentence)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_error error = {0};
    options.layout = layout;
    assert_int_not_equal(meso_dataset_open(root, &options, &dataset, &error), MESO_OK);
    assert_string_equal(error.text, sentence);
}

/* A chain of pairs is one group; masks are not pictures of anybody; a clip waits. */
static void faceforensics(void **state)
{
    (void)state;
    PUT("r/original_sequences/youtube/c23/videos/000.mp4",
        "r/original_sequences/youtube/c23/faces/000/0001.png",
        "r/original_sequences/youtube/c23/faces/003.png",
        "r/original_sequences/youtube/c23/faces/010/1.png",
        "r/original_sequences/actors/raw/faces/01__hugging_happy/7.png",
        "r/manipulated_sequences/Deepfakes/c23/faces/000_003/0001.png",
        "r/manipulated_sequences/Face2Face/c23/faces/003_010_0002.png",
        "r/manipulated_sequences/DeepFakeDetection/c23/faces/01_02__hugging_happy__X1Y/3.png",
        "r/manipulated_sequences/Deepfakes/masks/faces/000_003/0001.png",
        "r/manipulated_sequences/Deepfakes/c23/faces/cover.png", "r/original_sequences/x.txt");
    static const char items[] =
        "fake r/manipulated_sequences/DeepFakeDetection/c23/faces/01_02__hugging_happy__X1Y/3.png: "
        "01|02\n"
        "fake r/manipulated_sequences/Deepfakes/c23/faces/000_003/0001.png: 000|003\n"
        "fake r/manipulated_sequences/Face2Face/c23/faces/003_010_0002.png: 003|010\n"
        "real r/original_sequences/actors/raw/faces/01__hugging_happy/7.png: 01\n"
        "real r/original_sequences/youtube/c23/faces/000/0001.png: 000\n"
        "real r/original_sequences/youtube/c23/faces/003.png: 003\n"
        "real r/original_sequences/youtube/c23/faces/010/1.png: 010\n";
    static const char joined[] = "01 000 000 01 000 000 000";
    static const char passed[] = "1 .txt, 1 .mp4 (not images); 2 in manipulated_sequences (images "
                                 "of no video of this layout)";
    expect("r", MESO_LAYOUT_AUTO, MESO_LAYOUT_FFPP, items, joined, passed);
    expect("r", MESO_LAYOUT_FFPP, MESO_LAYOUT_FFPP, items, joined, passed);
}

/* Pairs of the lists belong together, whether or not their forgeries are here. */
static void faceforensics_lists(void **state)
{
    (void)state;
    PUT("r/original_sequences/youtube/c23/faces/000/1.png",
        "r/original_sequences/youtube/c23/faces/003/1.png",
        "r/manipulated_sequences/Deepfakes/c23/faces/020_021/1.png");
    harness_put("r/splits/train.json", "[[\"000\", \"003\"], [\"020\", \"021\"]]", 0);
    harness_put("r/test.json", "[[\"030\", \"031\"]]", 0);
    expect("r/", MESO_LAYOUT_AUTO, MESO_LAYOUT_FFPP,
           "fake r/manipulated_sequences/Deepfakes/c23/faces/020_021/1.png: 020|021|021|020\n"
           "real r/original_sequences/youtube/c23/faces/000/1.png: 000|003\n"
           "real r/original_sequences/youtube/c23/faces/003/1.png: 003|000\n",
           "020|021|021|020 000|003 000|003",
           "0 in splits (images outside the two class folders); 1 .json (not images); 2 videos "
           "(in the lists, without images here)");
    harness_put("r/test.json", "[[\"030\"]]", 0);
    refuse("r", MESO_LAYOUT_AUTO,
           "r/test.json: element 0 is not a pair of names, such as [\"000\", \"003\"]");
    harness_put("r/test.json", "[", 0);
    refuse("r", MESO_LAYOUT_FFPP, "r/test.json:1: ']' expected near end of file");
}

static void celebdf(void **state)
{
    (void)state;
    PUT("r/Celeb-real/id0_0000/1.png", "r/Celeb-real/id1_0000/1.png", "r/Celeb-real/id7_0001.mp4",
        "r/YouTube-real/00170/3.png", "r/Celeb-synthesis/id0_id1_0000/1.png",
        "r/Celeb-synthesis/what/1.png", "r/loose.png");
    harness_put("r/List_of_testing_videos.txt",
                "1 Celeb-real/id0_0000.mp4\r\n1 YouTube-real/00170.mp4\n\n"
                "0 Celeb-synthesis/id0_id1_0000.mp4\n0 Celeb-synthesis/id0_id2_0000.mp4\n",
                0);
    expect("r", MESO_LAYOUT_AUTO, MESO_LAYOUT_CELEBDF,
           "fake r/Celeb-synthesis/id0_id1_0000/1.png: id0|id1\n"
           "real r/Celeb-real/id0_0000/1.png: id0\n"
           "real r/Celeb-real/id1_0000/1.png: id1\n"
           "real r/YouTube-real/00170/3.png: 00170\n",
           "id0 id0 id0 00170",
           "1 in . (images outside the two class folders); 1 .mp4, 1 .txt (not images); "
           "1 in Celeb-synthesis (images of no video of this layout); "
           "1 videos (in the lists, without images here)");
    harness_put("r/List_of_testing_videos.txt", "1 YouTube-real/00170.mp4\n0 Celeb-real/x.mp4\n",
                0);
    refuse("r", MESO_LAYOUT_AUTO,
           "r/List_of_testing_videos.txt:2: Celeb-real/x.mp4 is listed as 0, and 1 means real");
    harness_put("r/List_of_testing_videos.txt", "1", 0);
    refuse("r", MESO_LAYOUT_AUTO,
           "r/List_of_testing_videos.txt:1: \"1\" is not 0 or 1 and a video of one of the three "
           "folders");
}

/* Several archives side by side; labels as words or numbers. */
static void dfdc(void **state)
{
    (void)state;
    PUT("r/part_0/aaa/1.png", "r/part_0/faces/bbb.mp4/2.png", "r/part_0/bbb.mp4",
        "r/part_1/ccc.jpg", "r/part_1/ddd/1.png", "r/part_1/zzz/1.png");
    harness_put("r/part_0/metadata.json",
                "{\"aaa.mp4\": {\"label\": \"FAKE\", \"split\": \"train\", \"original\": "
                "\"bbb.mp4\"}, \"bbb.mp4\": {\"label\": \"REAL\", \"split\": \"train\", "
                "\"original\": null}}",
                0);
    harness_put("r/part_1/metadata.json",
                "{\"ccc.mp4\": {\"label\": 1, \"original\": \"eee.mp4\"}, \"ddd.mp4\": {\"label\": "
                "0}, \"eee.mp4\": {\"label\": 0}}",
                0);
    expect("r/", MESO_LAYOUT_AUTO, MESO_LAYOUT_DFDC,
           "fake r/part_0/aaa/1.png: bbb\nfake r/part_1/ccc.jpg: eee\n"
           "real r/part_0/faces/bbb.mp4/2.png: bbb\nreal r/part_1/ddd/1.png: ddd\n",
           "bbb eee bbb ddd",
           "1 .mp4, 2 .json (not images); 1 in . (images of no video of this layout); 1 videos "
           "(in the lists, without images here)");
    harness_put("r/part_1/metadata.json", "{\"ccc.mp4\": {\"label\": 2}}", 0);
    refuse("r", MESO_LAYOUT_DFDC,
           "r/part_1/metadata.json: the label of ccc.mp4 is neither REAL or 0 nor FAKE or 1");
}

/* What was read before is read as before. */
static void class_folders_come_first(void **state)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/real/a.png", "r/fake/b.png", "r/Celeb-real/id0_0000/1.png",
        "r/Celeb-synthesis/id0_id1_0000/1.png");
    harness_put("r/metadata.json", "{\"a.mp4\": {\"label\": \"REAL\"}}", 0);
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    assert_int_equal(dataset.layout, MESO_LAYOUT_FOLDERS);
    assert_string_equal(dataset.items[0].path, "r/fake/b.png");
    assert_null(dataset.items[0].group);
    meso_dataset_close(&dataset);
    options.layout = MESO_LAYOUT_CELEBDF;
    options.group = "(Celeb-[a-z]+)/id";
    assert_int_equal(meso_dataset_open("r", &options, &dataset, NULL), MESO_OK);
    assert_string_equal(dataset.items[0].group, "Celeb-synthesis");
    meso_dataset_close(&dataset);
    refuse("r", MESO_LAYOUT_FFPP,
           "r: not laid out as FaceForensics++: there is neither original_sequences nor "
           "manipulated_sequences in it");
    PUT("q/x/1.png");
    refuse("q", MESO_LAYOUT_DFDC,
           "q: not laid out as DFDC: there is no metadata.json in it that names videos");
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(faceforensics), IN_FOLDER(faceforensics_lists),      IN_FOLDER(celebdf),
        IN_FOLDER(dfdc),          IN_FOLDER(class_folders_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
