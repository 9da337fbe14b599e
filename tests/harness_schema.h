/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents: their numbers, and all of them against the JSON schemas in docs/schema/: the part of
 * JSON Schema that these use (type, const, enum, minimum, properties, required,
 * additionalProperties: false, items, $ref to $defs).
 */
#ifndef MESO_TESTS_HARNESS_SCHEMA_H
#define MESO_TESTS_HARNESS_SCHEMA_H

#include <jansson.h>

/* Fails the test with the place in the document; a keyword of the schema that is not known fails,
 * too. name: "dataset_bench_stats". Must be called in the root of the tree, or with the folder of
 * the schemas in MESO_SCHEMAS. */
void harness_check_schema(const json_t *document, const char *name);

/* A member's number; fails the test where there is none. */
double harness_number(const json_t *object, const char *key);

#endif
