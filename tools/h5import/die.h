/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends the program with a sentence, and what does so on its own.
 */
#ifndef MESO_H5IMPORT_DIE_H
#define MESO_H5IMPORT_DIE_H

#include <jansson.h>

_Noreturn void die(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A JSON value that is there, or the end for want of memory. */
json_t *need(json_t *json);
json_t *text_of(const char *text); /* dies where it is not UTF-8 */
void set(json_t *object, const char *key, json_t *value);

/* Copies a name for a message, unprintable bytes as '?'; a few results live side by side. */
const char *shown(const char *name);

#endif
