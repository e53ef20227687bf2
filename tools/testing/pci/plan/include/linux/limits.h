/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel's own has beyond the user's */
#include_next <linux/limits.h>
#include <limits.h>
#ifndef U32_MAX
#define U32_MAX	((__u32)~0U)
#endif
#ifndef U64_MAX
#define U64_MAX	((__u64)~0ULL)
#endif
