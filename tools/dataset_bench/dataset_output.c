/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset_output.h"

#include "base/error.h"
#include "report/report_json.h"

static meso_status put_form(const db_told *told, const void *found, report_form form,
                            const char *file, const report_provenance *provenance,
                            meso_error *error)
{
    report_writer writer = {.form = form, .page.title = told->title};
    told->report(&writer, found);
    report_writer_finish(&writer, provenance);
    return report_put(&writer.out, file, error);
}

meso_status db_output_put(const db_output *o, const db_told *told, const void *found,
                          const report_provenance *provenance, meso_error *error)
{
    meso_text out = {0};
    report_form form = o->markdown ? REPORT_AS_MARKDOWN : REPORT_AS_TEXT;
    if (o->json)
        report_json_put(told->json(found, provenance), &out);
    else if (o->csv)
        told->csv(found, &out);
    if (o->json || o->csv)
        MESO_CHECK(report_put(&out, NULL, error));
    else
        MESO_CHECK(put_form(told, found, form, NULL, provenance, error));
    if (o->html)
        MESO_CHECK(put_form(told, found, REPORT_AS_HTML, o->html, provenance, error));
    return MESO_OK;
}
