/* SPDX-License-Identifier: Apache-2.0 */
#include "train_rows.h"

#include <stdio.h>

/* The help with the default behind it; a switch is off. */
static void write_help(const meso_train_option *option, const meso_train_options *usual,
                       char help[256])
{
    json_t *value = meso_field_to_json(&option->field, usual);
    char number[32] = "";
    const char *text = json_string_value(value);
    if (json_is_number(value))
        snprintf(number, sizeof number, "%.12g", json_number_value(value));
    text = text ? text : number;
    const int told = *text && option->field.kind != MESO_FIELD_SWITCH;
    snprintf(help, 256, "%s%s%s", option->help, told ? "; default " : "", told ? text : "");
    json_decref(value);
}

size_t tool_train_rows(tool_train_words *words, const meso_train_options *usual, int varied_only,
                       tool_option *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < meso_n_train_option_rows; i++) {
        const meso_train_option *option = &meso_train_option_rows[i];
        const int is_flag = option->field.kind == MESO_FIELD_SWITCH && !option->parse;
        if (!option->name || (varied_only && option->fixed))
            continue;
        write_help(option, usual, words->help[i]);
        rows[n] = (tool_option){.name = option->name,
                                .letter = option->letter,
                                .kind = is_flag ? TOOL_OPTION_FLAG : TOOL_OPTION_TEXT,
                                .argument = option->argument,
                                .help = words->help[i],
                                .names = option->is_path ? TOOL_NAMES_INPUT : TOOL_NAMES_NOTHING};
        if (is_flag)
            rows[n++].value.flag = &words->on[i];
        else
            rows[n++].value.text = &words->text[i];
    }
    return n;
}

int tool_train_given(const tool_train_words *words, size_t i)
{
    return words->text[i] || words->on[i];
}

int tool_train_take(const tool_train_words *words, const char *command, meso_train_options *options)
{
    for (size_t i = 0; i < meso_n_train_option_rows; i++) {
        const meso_train_option *option = &meso_train_option_rows[i];
        meso_error why = {0};
        const char *text = words->on[i] ? "yes" : words->text[i];
        if (text && meso_train_option_from_text(option, text, options, &why) != MESO_OK)
            return option->parse
                       ? tool_options_usage_error(command, "%s", why.text)
                       : tool_options_usage_error(command, "--%s %s", option->name, why.text);
    }
    return -1;
}
