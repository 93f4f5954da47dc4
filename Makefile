# idgen: build, install and test with PGXS. `make tap` runs the tests that start their own servers.

PG_CONFIG ?= pg_config
PG_VERSION := $(shell $(PG_CONFIG) --version 2>/dev/null)
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(findstring PostgreSQL,$(PG_VERSION)),)
$(error PG_CONFIG=$(PG_CONFIG) is not there, or is not PostgreSQL's pg_config. Install PostgreSQL with its server \
development files (on Debian: postgresql-server-dev-NN, NN being the version), or say where it is: \
make PG_CONFIG=/path/to/pg_config)
endif
ifeq ($(wildcard $(PGXS)),)
$(error The server development files of $(PG_VERSION) are missing: there is no $(PGXS). Install them (on \
Debian: postgresql-server-dev-$(firstword $(subst ., ,$(word 2,$(PG_VERSION))))), or name another PostgreSQL: \
make PG_CONFIG=/path/to/pg_config)
endif

# The directory of this file; make may be started from elsewhere (make -f, VPATH).
SOURCE := $(or $(VPATH),$(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST)))))
sources = $(patsubst $(SOURCE)/%,%,$(sort $(wildcard $(addprefix $(SOURCE)/,$(1)))))

MODULE_big = idgen
OBJS = $(patsubst %.cpp,%.o,$(call sources,src/pg/*.cpp src/pg/*/*.cpp) src/core/cycles.cpp src/core/description.cpp)
EXTENSION = control/idgen
DATA = $(call sources,control/idgen--*.sql)
PGFILEDESC = "idgen - unique, time-ordered 64-bit IDs"

# Both test suites use databases that test/databases creates, which also says who may run them.
# Their output goes elsewhere if the tree belongs to somebody else.
RESULTS := $(shell test -w . && echo . || echo $${TMPDIR:-/tmp}/idgen-installcheck-$$(id -un))
REGRESS = $(patsubst sql/%.sql,%,$(call sources,sql/*.sql))
REGRESS_OPTS = --use-existing --outputdir=$(RESULTS)
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(call sources,test/isolation/specs/*.spec))
ISOLATION_OPTS = --use-existing --inputdir=$(SOURCE)/test/isolation --outputdir=$(RESULTS)/output_iso
REGRESS_PREP = databases
PROVE_TESTS = test/t/*.pl

# The module uses no exceptions, no run-time type information and no static that needs a guard. So
# it needs no C++ run-time library in the server.
IDGEN_CXXFLAGS = -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics \
	-fvisibility=hidden -fvisibility-inlines-hidden
ifdef WERROR
IDGEN_WARNINGS = -Wall -Wextra -Wshadow -Wno-unused-parameter -Werror
endif

# System headers, so that clang's bitcode step and our warnings leave them alone.
PG_CPPFLAGS = -I$(SOURCE)/src -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CXXFLAGS = $(IDGEN_CXXFLAGS) -MMD -MP $(IDGEN_WARNINGS)

EXTRA_CLEAN = $(OBJS:.o=.d) output_iso tmp_check log

include $(PGXS)

# The rooms of src/pg. A room sees only itself and the rooms below it, so an include that goes up
# does not compile: sql -> session -> durable, catalog -> base -> the core.
room = $(addprefix -I$(SOURCE)/src/pg/,$(1))
src/pg/base/%.o src/pg/base/%.bc: override CPPFLAGS += $(call room,base)
src/pg/catalog/%.o src/pg/catalog/%.bc: override CPPFLAGS += $(call room,base catalog)
src/pg/durable/%.o src/pg/durable/%.bc: override CPPFLAGS += $(call room,base durable)
src/pg/session/%.o src/pg/session/%.bc: override CPPFLAGS += $(call room,base catalog durable session)
src/pg/sql/%.o src/pg/sql/%.bc: override CPPFLAGS += $(call room,base catalog durable session sql)
src/pg/module.o src/pg/module.bc: override CPPFLAGS += $(call room,base catalog durable session sql)

.PHONY: databases
databases:
	@PG_CONFIG='$(PG_CONFIG)' PSQL='$(bindir)/psql' RESULTS='$(RESULTS)' $(SHELL) '$(SOURCE)/test/databases' \
	  $(if $(REGRESS),$(CONTRIB_TESTDB)) $(if $(ISOLATION),$(ISOLATION_TESTDB))

# Tests whose servers crash, restart and fail over, and whose clocks step. They are not part of
# installcheck, because they start servers of their own and need Perl's IPC::Run.
.PHONY: tap
tap:
	$(prove_installcheck)

# PGXS does not pass PG_CXXFLAGS to the bitcode step.
BITCODE_CXXFLAGS += $(IDGEN_CXXFLAGS)

# Outside the source tree the objects' directories must be created. Paths are absolute, because
# VPATH would find the sources' directories.
OBJDIRS = $(addprefix $(CURDIR)/,$(sort $(dir $(OBJS))))
$(OBJS) $(OBJS:.o=.bc): | $(OBJDIRS)
$(OBJDIRS):
	mkdir -p $@

-include $(OBJS:.o=.d)
