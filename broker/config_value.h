/*
 * Values of settings that are more than a string: each is looked at where it is
 * written, as conf_check_fn, so that what is wrong is told with its line.
 */
#ifndef QUIRE_CONFIG_VALUE_H
#define QUIRE_CONFIG_VALUE_H

#include "common/conf.h"

conf_check_fn config_value_metrics;    /* ADDRESS:PORT, or empty */
conf_check_fn config_value_public_url; /* http or https, or empty */
conf_check_fn config_value_origin;     /* RFC 6454: scheme://host, or null */
conf_check_fn config_value_proxy;      /* an address, or a network of them */
conf_check_fn config_value_secsync_prefix;
conf_check_fn config_value_canvas_prefix;
conf_check_fn config_value_secsync_extra; /* name, type, octets */

#endif
