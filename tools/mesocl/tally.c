/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <stdio.h>

#include "common.h"

void tool_tally_add(tool_tally *tally, const meso_file_score *score)
{
    tally->n_scored += score->refusal == MESO_IMAGE_OK;
    tally->n_refused += score->refusal != MESO_IMAGE_OK;
    tally->n_by_refusal[score->refusal]++;
    tally->n_suspect += score->suspect != 0;
    tally->n_turned += score->exif_turned != 0;
}

void tool_tally_print_refusal(const meso_file_score *score)
{
    meso_text text = {0};
    meso_text_add_printable(&text, score->path);
    fprintf(stderr, "refused: %s: %s: %s\n", text.out_of_memory ? "" : text.bytes,
            meso_refusal_name(score->refusal), score->detail);
    meso_text_free(&text);
}

void tool_tally_print(const tool_tally *tally, const meso_dataset *files, int exif_orient)
{
    const char *separator = " (";
    fprintf(stderr, "mesocl: %zu images scored, %zu refused", tally->n_scored, tally->n_refused);
    for (int i = MESO_IMAGE_OK + 1; i <= MESO_IMAGE_ODD_SIZE; i++) {
        if (tally->n_by_refusal[i] == 0)
            continue;
        fprintf(stderr, "%s%zu %s", separator, tally->n_by_refusal[i],
                meso_refusal_name((meso_refusal)i));
        separator = ", ";
    }
    fprintf(stderr, "%s", tally->n_refused ? ")" : "");
    if (tally->n_called[0] + tally->n_called[1] > 0)
        fprintf(stderr, ": %zu fake, %zu real", tally->n_called[0], tally->n_called[1]);
    fputc('\n', stderr);
    if (tally->n_suspect)
        fprintf(stderr, "mesocl: %zu images are suspect: their decoder gave warnings\n",
                tally->n_suspect);
    if (tally->n_turned)
        fprintf(stderr, "mesocl: %zu images ask by EXIF to be turned: %s\n", tally->n_turned,
                exif_orient ? "done" : "not done without --exif-orient");
    tool_tell_passed(NULL, files);
}
