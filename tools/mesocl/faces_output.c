/* SPDX-License-Identifier: Apache-2.0 */
#include "faces_output.h"

#include <math.h>

enum { n_box = 4, n_points = 5 };

static void box_of(const face *one, double box[n_box])
{
    const double all[n_box] = {one->x1, one->y1, one->x2, one->y2};
    for (int i = 0; i < n_box; i++)
        box[i] = all[i];
}

static void add_path(const char *path, meso_text *out)
{
    meso_text_add(out, "  ");
    meso_text_add_printable(out, path);
    meso_text_add(out, "\n");
}

void faces_text(const faces_picture *picture, meso_text *out)
{
    for (size_t i = 0; i < picture->faces.n; i++) {
        const face *one = &picture->faces.items[i];
        meso_text_format(out, "%.6f  %.1f %.1f %.1f %.1f ", one->p, one->x1, one->y1, one->x2,
                         one->y2);
        for (int k = 0; k < n_points; k++)
            meso_text_format(out, " %.1f,%.1f", one->points[k][0], one->points[k][1]);
        add_path(picture->path, out);
    }
    if (picture->reason && picture->width > 0) { /* else it stands on stderr */
        meso_text_add(out, picture->reason);
        add_path(picture->path, out);
    }
}

static json_t *face_json(const face *one)
{
    meso_builder object = meso_build_object();
    meso_builder points = meso_build_list();
    double box[n_box];
    box_of(one, box);
    for (int k = 0; k < n_points; k++) {
        const double point[2] = {one->points[k][0], one->points[k][1]};
        meso_build_add(&points, meso_json_numbers(point, 2));
    }
    meso_build_set(&object, "box", meso_json_numbers(box, n_box));
    meso_build_set(&object, "points", meso_build_end(&points));
    meso_build_number(&object, "detector_p", one->p);
    return meso_build_end(&object);
}

static double side_or_none(int side)
{
    return side > 0 ? side : NAN;
}

json_t *faces_json(const faces_picture *picture)
{
    meso_builder row = meso_build_object();
    meso_builder faces = meso_build_list();
    for (size_t i = 0; i < picture->faces.n; i++)
        meso_build_add(&faces, face_json(&picture->faces.items[i]));
    report_build_file(&row, picture->path);
    meso_build_set(&row, "width", picture->width ? json_integer(picture->width) : json_null());
    meso_build_set(&row, "height", picture->width ? json_integer(picture->height) : json_null());
    meso_build_set(&row, "faces", meso_build_end(&faces));
    meso_build_text(&row, "reason", picture->reason);
    return meso_build_end(&row);
}

report_table faces_table(void)
{
#define PIXELS(key) COLUMN_NUMBER(key, key, 1)
#define POINT(key) PIXELS(key "_x"), PIXELS(key "_y")
    static const report_column columns[] = {COLUMN_TEXT("file", "file"),
                                            PIXELS("width"),
                                            PIXELS("height"),
                                            PIXELS("x1"),
                                            PIXELS("y1"),
                                            PIXELS("x2"),
                                            PIXELS("y2"),
                                            POINT("eye_left"),
                                            POINT("eye_right"),
                                            POINT("nose"),
                                            POINT("mouth_left"),
                                            POINT("mouth_right"),
                                            COLUMN_NUMBER("detector_p", "detector_p", 6),
                                            COLUMN_TEXT("reason", "reason")};
    return REPORT_TABLE_OF(columns);
}

void faces_add_rows(const faces_picture *picture, report_table *table)
{
    const face none = {.x1 = NAN, .y1 = NAN, .x2 = NAN, .y2 = NAN, .p = NAN};
    const size_t n_rows = picture->faces.n ? picture->faces.n : 1;
    for (size_t i = 0; i < n_rows; i++) {
        const face *one = picture->faces.n ? &picture->faces.items[i] : &none;
        REPORT_ROW(table, picture->path, side_or_none(picture->width),
                   side_or_none(picture->height), one->x1, one->y1, one->x2, one->y2);
        for (int k = 0; k < n_points; k++)
            for (int axis = 0; axis < 2; axis++)
                REPORT_ROW(table, picture->faces.n ? one->points[k][axis] : NAN);
        REPORT_ROW(table, one->p, picture->reason);
    }
}
