/* SPDX-License-Identifier: GPL-2.0 */
/* The tools' headers have these elsewhere */
#include <linux/kernel.h>
