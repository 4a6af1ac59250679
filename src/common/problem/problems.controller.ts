import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { Access } from '../access.js';
import { packageRoot } from '../package-root.js';
import { ApiProblems } from './api-problems.decorator.js';
import { NOT_FOUND, problemCatalogue } from './catalogue.js';
import { Problem } from './problem.js';

const codeParam = z.string().max(64).meta({ description: 'The code of a problem.', example: 'token_expired' });

/** Makes the `type` URL of every problem lead to its page (RFC 9457, section 3.1.1). */
@ApiTags('Documentation')
@Controller('problems')
export class ProblemsController {
  @Get(':code')
  @Access('public')
  @Header('Content-Type', 'text/markdown; charset=utf-8')
  @ApiOperation({ operationId: 'explainProblem', summary: 'What an error code means, and what to do' })
  @ApiOkResponse({
    description: 'The page of this problem, as Markdown.',
    content: { 'text/markdown': { schema: { type: 'string' }, example: '# token_expired\n' } },
  })
  @ApiProblems(NOT_FOUND)
  async explain(@Param('code', { schema: codeParam }) code: string): Promise<string> {
    if (!problemCatalogue.some((type) => type.code === code)) throw new Problem(NOT_FOUND);
    return readFile(path.join(packageRoot, 'docs/problems', `${code}.md`), 'utf8');
  }
}
